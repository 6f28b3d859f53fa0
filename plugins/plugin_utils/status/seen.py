# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that was seen, by the names of hosts."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import PoolServer, Tier
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.reading import (
    BalancerView,
    DatabasesView,
    Result,
    Survey,
    read_balancer,
    read_databases,
    read_survey,
    why_silent,
)

if t.TYPE_CHECKING:
    import collections.abc as c

Answers = t.Mapping[str, Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    tiers: t.Mapping[str, tuple[Tier, ...]]
    surveys: t.Mapping[str, Survey]
    balancers: t.Mapping[str, BalancerView]
    """Those that answer."""
    silent_balancers: t.Mapping[str, str]
    """Those that do not, and why."""
    databases: DatabasesView | None
    """Nothing where nobody could ask them."""
    shared_address: str

    @property
    def servers(self) -> t.Mapping[str, PoolServer]:
        """Return the web servers as that balancer sees them to which the clients come."""
        nearest = sorted(self.balancers, key=lambda name: not self.surveys[name].has_shared_address)
        return self.balancers[nearest[0]].servers if nearest else {}

    def of_tier(self, tier: Tier) -> list[str]:
        return [name for name, tiers in self.tiers.items() if tier in tiers]

    def reachable(self, name: str) -> bool:
        return name in self.surveys and self.surveys[name].reachable


def see(
    hosts: c.Sequence[Result],
    *,
    shared_address: str,
    release_link: str,
    certificates: t.Mapping[str, c.Sequence[Result]],
    surveys: Answers,
    balancers: Answers,
    databases: Answers,
    now: float,
) -> Seen:
    """Read what every host has answered."""
    tiers = {host["name"]: tuple(tier for tier in Tier if tier.value in host["groups"]) for host in hosts}
    balancing = [name for name, own in tiers.items() if Tier.LOAD_BALANCERS in own]
    views = {name: read_balancer(balancers.get(name, {})) for name in balancing}
    return Seen(
        tiers=tiers,
        surveys={
            name: read_survey(
                surveys.get(name, {}),
                shared_address=shared_address,
                certificates=certificates.get(name, ()) if name in balancing else (),
                link=release_link,
                now=now,
            )
            for name in tiers
        },
        balancers={name: view for name, view in views.items() if view is not None},
        silent_balancers={name: why_silent(balancers.get(name, {})) for name, view in views.items() if view is None},
        databases=read_databases(databases.values(), {host["name"]: host["address"] for host in hosts}),
        shared_address=shared_address,
    )


__all__ = ("Answers", "Seen", "see")
