# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What commits wait for on the new primary, and no longer on the old one."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..semi_sync import Durability, SemiSyncSettings

if t.TYPE_CHECKING:
    from ..topology import Topology
    from .steps import MovePlan

_ENOUGH_FOR_NO_LOSS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """The settings of both; nothing leaves semi-synchronous replication alone."""

    on_primary: SemiSyncSettings | None = None
    on_replica: SemiSyncSettings | None = None
    warning: str | None = None


def commits_after(topology: Topology, plan: MovePlan, durability: Durability | None) -> Commits:
    """Let commits wait on the new primary as on the old one, or as it is said; never for nobody."""
    statuses = {server.name: status for server, status in topology.answering}
    target = statuses[plan.primary]
    former = statuses.get(plan.former or "")
    if target.semi_sync is None:
        return Commits(warning=_NOT_LOADED if durability else None)
    if durability is None and former is not None and former.semi_sync is not None:
        have = former.semi_sync
        if not (have.source_enabled or target.semi_sync.source_enabled):
            return Commits()
        wanted = SemiSyncSettings(
            source_enabled=have.source_enabled,
            timeout_seconds=have.timeout_seconds,
            waits_without_replica=have.waits_without_replica,
        )
    else:
        chosen = durability or _usual(topology)
        if durability is None and not target.semi_sync.replica_enabled:
            return Commits()
        wanted = SemiSyncSettings(
            source_enabled=True,
            timeout_seconds=chosen.timeout_seconds,
            waits_without_replica=chosen is Durability.NO_LOSS,
        )
    released = SemiSyncSettings(
        source_enabled=False, timeout_seconds=wanted.timeout_seconds, waits_without_replica=False
    )
    if wanted.source_enabled and not _acknowledging(topology, plan):
        return Commits(on_primary=released, on_replica=released, warning=_NOBODY)
    return Commits(on_primary=wanted, on_replica=released)


_NOT_LOADED = "The plugins of semi-synchronous replication are not loaded: commits do not wait for a replica"
_NOBODY = (
    "No replica is left to acknowledge, so commits do not wait for one, and what is written now is lost with this "
    "server. Bring a replica back, then run the site: that switches waiting on again"
)


def _usual(topology: Topology) -> Durability:
    replicas = len(topology.servers) - 1
    return Durability.NO_LOSS if replicas >= _ENOUGH_FOR_NO_LOSS else Durability.AVAILABLE


def _acknowledging(topology: Topology, plan: MovePlan) -> bool:
    """Tell whether somebody who follows afterwards acknowledges; a former primary is made to."""
    following = {step.server for step in plan.steps if step.source == plan.primary}
    return any(
        status.semi_sync is not None
        and (status.semi_sync.replica_enabled or server.name == plan.former)
        and server.name != plan.primary
        for server, status in topology.answering
        if server.name in following
    )


__all__ = ("Commits", "commits_after")
