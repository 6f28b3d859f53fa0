# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What moving the primary consists of: acts on servers, in stages, as data."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c


class Act(enum.Enum):
    """One thing that is done to one server."""

    MARK_POSITION = "mark_position"
    APPROACH = "approach"
    CATCH_UP = "catch_up"
    COMPARE_HISTORY = "compare_history"
    END_TRANSACTIONS = "end_transactions"
    CLOSE_WRITES = "close_writes"
    OPEN_WRITES = "open_writes"
    CUT_CLIENTS = "cut_clients"
    STOP_RECEIVING = "stop_receiving"
    APPLY_RECEIVED = "apply_received"
    STOP_REPLICATION = "stop_replication"
    START_REPLICATION = "start_replication"
    FOLLOW = "follow"
    FOLLOW_AS_FORMER_PRIMARY = "follow_as_former_primary"
    FORGET_SOURCE = "forget_source"
    PREPARE_COMMITS = "prepare_commits"
    WAIT_IN_COMMITS = "wait_in_commits"
    STOP_WAITING_IN_COMMITS = "stop_waiting_in_commits"
    AWAIT_REPLICATION = "await_replication"
    KEEP_HEARTBEAT = "keep_heartbeat"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class MoveStep:
    """One act on one server, and why."""

    server: str
    act: Act
    reason: str
    source: str | None = None
    """The other server of an act that has one: whom to follow, or whose position to reach."""

    def as_result(self) -> dict[str, str | None]:
        return {"server": self.server, "act": self.act.value, "source": self.source, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps of one server run in their order, servers at the same time; the next stage waits for all of them."""

    name: str
    steps: tuple[MoveStep, ...]

    @property
    def lanes(self) -> tuple[tuple[MoveStep, ...], ...]:
        """Return the steps of each server."""
        servers = dict.fromkeys(step.server for step in self.steps)
        return tuple(tuple(step for step in self.steps if step.server == server) for server in servers)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """Who gives the writes to whom, and how; no stages where all is as it should be."""

    former: str | None
    """The primary that is left; nothing where none was."""
    primary: str
    stages: tuple[Stage, ...] = ()
    predecessor: str | None = None
    """Who took the writes before a move that was interrupted, where that can be told."""

    @property
    def steps(self) -> tuple[MoveStep, ...]:
        return tuple(step for stage in self.stages for step in stage.steps)

    def as_result(self) -> list[dict[str, t.Any]]:
        return [{"stage": stage.name, "steps": [step.as_result() for step in stage.steps]} for stage in self.stages]


def preparation(server: str) -> MoveStep:
    """Set what commits wait for while that has no effect yet."""
    return MoveStep(server, Act.PREPARE_COMMITS, "the less there is to do later")


def promotion(server: str) -> tuple[MoveStep, ...]:
    """Open a replica; it forgets its source last, so that at any moment it either follows or takes writes."""
    return (
        MoveStep(server, Act.STOP_REPLICATION, "it has all there is to have"),
        MoveStep(server, Act.WAIT_IN_COMMITS, "a commit counts once a replica has it"),
        MoveStep(server, Act.OPEN_WRITES, "it is the primary from here on"),
        MoveStep(server, Act.FORGET_SOURCE, "a primary follows nobody"),
    )


def turning(server: str, source: str) -> tuple[MoveStep, ...]:
    """Point a replica to another source."""
    return (
        MoveStep(server, Act.STOP_REPLICATION, "the source can only be changed while nothing replicates"),
        MoveStep(server, Act.FOLLOW, f"{source} is its source", source),
        MoveStep(server, Act.START_REPLICATION, "a changed source starts from rest"),
    )


def demotion(server: str, source: str) -> tuple[MoveStep, ...]:
    """Make a closed primary a replica, without its clients."""
    return (
        MoveStep(server, Act.STOP_WAITING_IN_COMMITS, "a replica that waits in its commits blocks what it applies"),
        MoveStep(server, Act.STOP_REPLICATION, "it may have begun to follow somebody"),
        MoveStep(server, Act.FOLLOW_AS_FORMER_PRIMARY, f"{source} is its source", source),
        MoveStep(server, Act.START_REPLICATION, "a changed source starts from rest"),
        MoveStep(server, Act.CUT_CLIENTS, "nobody goes on with a server that takes no writes any more"),
    )


def ending(primary: str, followers: c.Iterable[str]) -> tuple[Stage, ...]:
    """See that it works, and write down that it was done."""
    checks = tuple(
        MoveStep(follower, Act.AWAIT_REPLICATION, f"it has to follow {primary}", primary) for follower in followers
    )
    heartbeat = MoveStep(primary, Act.KEEP_HEARTBEAT, "only the primary writes it")
    return (
        Stage("check", (*checks, heartbeat)),
        Stage("record", (MoveStep(primary, Act.RECORD, "the next one has to know"),)),
    )


__all__ = ("Act", "MovePlan", "MoveStep", "Stage", "demotion", "ending", "preparation", "promotion", "turning")
