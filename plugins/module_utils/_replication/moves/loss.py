# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a failover may have cost, in plain words, and how that is known."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ..status import Beat
    from ..topology import Server, Topology

_DAY_SECONDS = 86_400
_CLOCK_DOUBT_SECONDS = 2.0
"""The age of a heartbeat is told by another clock than wrote it; verify is red when they differ by more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What the old primary may have had alone."""

    certain: bool
    """Nothing that a client was told to be safe is lost."""
    transactions: int | None
    """How many, where that can be counted."""
    reason: str

    def as_result(self) -> dict[str, t.Any]:
        return {
            "nothing_acknowledged_lost": self.certain,
            "transactions": self.transactions,
            "reason": self.reason,
        }


def judge_loss(topology: Topology, former: str, *, successor: str | None = None) -> Loss:
    """Judge from what was seen when nothing was received any more, or, once a successor takes writes, from what it has.

    The successor writes heartbeats of its own, which its replicas have: only it still shows the last one of the former.
    """
    old = next(server for server in topology.servers if server.name == former)
    replicas = [server for server in topology.servers if server is not old]
    counted = _counted(old, replicas)
    if counted is not None:
        return counted
    missing = [server.name for server in replicas if server.status is None]
    if missing:
        return _unknown(
            former, f"{', '.join(missing)} could not be asked and may have acknowledged what nobody else has"
        )
    witnesses = [server for server in replicas if successor in (None, server.name)]
    beats = [server.status.beat_of_another for server in witnesses if server.status and server.status.beat_of_another]
    if not beats:
        return _unknown(former, "no heartbeat of it has arrived, which would say whether its commits waited")
    known = [server.name for server in replicas if _acknowledging(server)]
    return _by_last_words(former, min(beats, key=lambda beat: beat.age_seconds), known)


def _by_last_words(former: str, last: Beat, known: list[str]) -> Loss:
    """Judge from the last heartbeat that has arrived.

    All that was committed before it has arrived before it. What came after waited for as long as it says, so nothing
    that only the former had was acknowledged before that time was over.
    """
    when = f"when it wrote its last heartbeat that has arrived, {last.age_seconds:.1f} s ago"
    if last.commit_wait_seconds is None or not last.acknowledging_replicas:
        return _unknown(former, f"its commits did not wait for a replica {when}, so the last may be on it alone")
    if last.acknowledging_replicas > len(known):
        return _unknown(
            former,
            f"{last.acknowledging_replicas} servers acknowledged its commits {when}, and of these servers only "
            f"{', '.join(known) or 'none'} can have",
        )
    waited = f"its commits waited up to {_span(last.commit_wait_seconds)} for a replica {when}"
    if last.commit_wait_seconds < last.age_seconds + _CLOCK_DOUBT_SECONDS:
        return _unknown(former, f"{waited}: what it acknowledged until then is kept, and it may have gone on alone")
    return Loss(
        certain=True,
        transactions=0,
        reason=f"Nothing that {former} acknowledged is lost: {waited}, and everything that {', '.join(known)} had "
        "received was kept",
    )


def _counted(old: Server, replicas: list[Server]) -> Loss | None:
    if old.status is None:
        return None
    alone = old.status.executed
    for server in replicas:
        if server.status is not None and server.status.engine is old.status.engine:
            alone = alone.subtract(server.status.possessed)
    count = max(
        (old.status.executed.ahead_of(server.status.possessed) for server in replicas if server.status), default=0
    )
    if not alone:
        return Loss(
            certain=True, transactions=0, reason=f"Nothing is lost: {old.name} was asked, and has nothing alone"
        )
    return Loss(
        certain=False,
        transactions=count,
        reason=f"{old.name} was asked, and has {alone} alone: it keeps them, closed, until it is made to rejoin",
    )


def _acknowledging(server: Server) -> bool:
    return server.status is not None and server.status.semi_sync is not None and server.status.semi_sync.replica_enabled


def _span(seconds: float) -> str:
    return f"{seconds / _DAY_SECONDS:.0f} days" if seconds > _DAY_SECONDS else f"{seconds:g} s"


def _unknown(former: str, why: str) -> Loss:
    return Loss(
        certain=False,
        transactions=None,
        reason=f"What is lost cannot be counted while {former} is away: {why}. When it is back, "
        "failing to rejoin tells what it has alone",
    )


__all__ = ("Loss", "judge_loss")
