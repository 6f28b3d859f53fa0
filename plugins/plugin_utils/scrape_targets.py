# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus asks: each exporter on each host of its group."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.webinfra.stack.plugins.plugin_utils.flows import EVERY_HOST, TOPOLOGY_GROUPS

NO_TIER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One address that is scraped, with what is known of its host."""

    job: str
    host: str
    tier: str
    """The first group of the topology that the host is in."""
    address: str
    port: int

    def as_result(self) -> dict[str, t.Any]:
        return asdict(self)


def scrape_targets(
    exporters: t.Iterable[t.Mapping[str, t.Any]], hosts: t.Sequence[t.Mapping[str, t.Any]]
) -> list[Target]:
    """Return the targets of each exporter, in the order of the inventory."""
    return [
        Target(
            job=str(exporter["job"]),
            host=str(host["name"]),
            tier=_tier(host["groups"]),
            address=str(host["address"]),
            port=int(exporter["port"]),
        )
        for exporter in exporters
        for host in hosts
        if exporter["group"] == EVERY_HOST or exporter["group"] in host["groups"]
    ]


def _tier(groups: t.Collection[str]) -> str:
    return next((group for group in TOPOLOGY_GROUPS if group in groups), NO_TIER)


__all__ = ("NO_TIER", "Target", "scrape_targets")
