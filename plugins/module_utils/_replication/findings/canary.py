# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a row shows that was written on the primary and looked for on the replicas."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .finding import Finding, Severity

if t.TYPE_CHECKING:
    import collections.abc as c

    from .finding import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When a replica showed the canary, or why it did not."""

    server: str
    seconds: float | None
    problem: str | None = None


def judge_canary(primary: str, sightings: c.Iterable[Sighting], policy: Policy) -> tuple[Finding, ...]:
    """Return what the canary has shown."""
    found = []
    for sighting in sightings:
        if sighting.seconds is None:
            found.append(_lost(primary, sighting))
        elif policy.canary_target is not None and sighting.seconds > policy.canary_target:
            found.append(_slow(primary, sighting.server, sighting.seconds, policy.canary_target))
    return tuple(found)


def _lost(primary: str, sighting: Sighting) -> Finding:
    return Finding(
        name="canary_lost",
        severity=Severity.CRITICAL,
        server=sighting.server,
        reason=sighting.problem or f"a row written on {primary} did not arrive",
        action="look at its replication threads and their lag; if they are fine, whether the account "
        "may write the canary table on the primary and read it here",
    )


def _slow(primary: str, server: str, seconds: float, target: float) -> Finding:
    return Finding(
        name="canary_slow",
        severity=Severity.WARNING,
        server=server,
        reason=f"a row written on {primary} took {seconds:.3f} s, allowed are {target:g} s",
        action="look at the load and the disks of this server and at the network to its source",
    )


__all__ = ("Sighting", "judge_canary")
