# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a server that came back closed opens itself again: only the servers that follow it can say so."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

from .advice import rejoining_command
from .semi_sync import Durability
from .status import ThreadState

if t.TYPE_CHECKING:
    import collections.abc as c

    from .status import Link, ServerStatus
    from .topology import Server, Topology


class Cause(enum.Enum):
    """Why a server stays closed, as a metric names it."""

    NOT_ASKED = "not_asked"
    """It does not answer itself."""
    WAITING = "waiting"
    """Others may still come up."""
    ALONE = "alone"
    """Too few confirm."""
    NOT_ACKNOWLEDGED = "not_acknowledged"
    """Commits could not wait for a replica, as they have to."""
    OTHER_WRITER = "other_writer"
    BEHIND = "behind"
    """Another server has what it lacks."""
    ABANDONED = "abandoned"
    """A replica follows another server, or was stopped."""
    REFUSED = "refused"
    """It cannot be opened as it is configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under which conditions a server opens itself."""

    grace_seconds: float = 30
    """How long all others are waited for, before most of them are enough."""
    durability: Durability | None = None
    just_started: bool = True
    """A server that has been running for long may be closed by a switchover at this moment: it waits in any case."""


@dataclass(frozen=True, slots=True)
class Done:
    """There is nothing to decide."""

    reason: str


@dataclass(frozen=True, slots=True)
class Open:
    """It is the primary, by what the others say."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """It stays closed for now."""

    cause: Cause
    reason: str
    action: str
    detail: str = field(default="", compare=False)
    """What may be another word at each look, as a dead host is now timed out and now without a route."""

    def __str__(self) -> str:
        return f"{self.reason}{f' ({self.detail})' if self.detail else ''}. What to do: {self.action}"


Decision = Done | Open | Stay


def decide(topology: Topology, own: str, waited: float, terms: Terms) -> Decision:
    """Decide about one server from what all say; waited is since it began to ask."""
    server = next(server for server in topology.servers if server.name == own)
    status = server.status
    if status is None:
        return _unasked(server)
    if (settled := _settled(server, status)) is not None:
        return settled
    found = objections(topology, own)
    if found:
        return found[0]
    return _by_majority(server, status, _others(topology, own), waited, terms)


def objections(topology: Topology, own: str) -> tuple[Stay, ...]:
    """Say who speaks against it: one that takes writes, has more, follows another one or was stopped; worst first."""
    server = next(server for server in topology.servers if server.name == own)
    if server.status is None:
        return ()
    found = [_objection(server, server.status, other) for other in _others(topology, own)]
    order = list(Cause)
    return tuple(sorted(filter(None, found), key=lambda stay: order.index(stay.cause)))


def started_at(status: ServerStatus) -> int:
    """Return the second in which the server's process began, by its own clock; two may be off by one."""
    return int(status.clock) - status.uptime_seconds


def _settled(server: Server, status: ServerStatus) -> Done | Stay | None:
    if not status.read_only:
        return Done("It takes writes")
    if status.unread is not None:
        return _unasked(server)
    if status.link is not None:
        return Done(f"It follows {status.link.endpoint}")
    if status.pristine:
        return Done("It is empty: nothing was ever written here")
    return None


def _unasked(server: Server) -> Stay:
    return Stay(
        cause=Cause.NOT_ASKED,
        reason="This server cannot be asked",
        detail=_problem(server),
        action="look whether the database runs here and whether its disk is full",
    )


def _problem(server: Server) -> str:
    return server.problem or "it lets in and does not answer"


def _others(topology: Topology, own: str) -> list[Server]:
    return [server for server in topology.servers if server.name != own]


def _objection(server: Server, status: ServerStatus, other: Server) -> Stay | None:
    theirs = other.status
    if theirs is None or theirs.unread is not None or theirs.pristine:
        return None
    if not theirs.read_only:
        return Stay(
            cause=Cause.OTHER_WRITER,
            reason=f"{other.name} takes writes",
            action=_rejoining(server),
        )
    if theirs.engine is not status.engine:
        return Stay(
            cause=Cause.BEHIND,
            reason=f"{other.name} runs {theirs.engine.value}, so nothing tells whether it has more than this server",
            action="run one engine on all servers",
        )
    link = theirs.link
    known = theirs.possessed
    if not status.executed.contains(known):
        return Stay(
            cause=Cause.BEHIND,
            reason=f"{other.name} has transactions that this server lacks: {known.subtract(status.executed)}",
            action="let the server that has the most take over, although this one answers: "
            f"ansible-playbook -i INVENTORY webinfra.stack.failover -e failover_force=true. Then {_rejoining(server)}",
        )
    return _desertion(server, other, link)


def _rejoining(server: Server) -> str:
    return f"bring this server back as a replica: {rejoining_command(server.name)}"


def _desertion(server: Server, other: Server, link: Link | None) -> Stay | None:
    if link is None:
        return None
    if not server.is_source_of(link):
        return Stay(
            cause=Cause.ABANDONED,
            reason=f"{other.name} follows {link.endpoint}",
            action=_rejoining(server),
        )
    if link.io_thread is ThreadState.STOPPED:
        return Stay(
            cause=Cause.ABANDONED,
            reason=f"{other.name} was stopped and receives nothing, as at the beginning of a failover",
            action="let the failover end, or run it again; if there is none, start replication there",
        )
    return None


def _by_majority(
    server: Server, status: ServerStatus, others: list[Server], waited: float, terms: Terms
) -> Open | Stay:
    """Open when all others confirm, or most of them after the grace."""
    confirming = [other for other in others if _confirms(server, other)]
    missing = [other for other in others if other not in confirming]
    in_grace = waited < terms.grace_seconds
    enough = 2 * (len(confirming) + 1) > len(others) + 1
    if in_grace and (missing or not terms.just_started):
        return _waiting(missing, terms)
    if not enough:
        return Stay(
            cause=Cause.ALONE,
            reason=f"{_doubts(missing)}; without them this server is not the choice of most",
            detail=_details(missing),
            action=f"bring {_names(missing)} back, or take out of the inventory what is gone for good and run site",
        )
    if _unprotected(status, others, terms) and (in_grace or terms.durability is Durability.NO_LOSS):
        return Stay(
            cause=Cause.NOT_ACKNOWLEDGED,
            reason="No replica acknowledges yet what this server would write",
            action=f"look why {_names(confirming)} cannot connect to it",
        )
    return Open(
        f"Followed by {_names(confirming)}, and none has what it lacks" if others else "There is no other server"
    )


def _confirms(server: Server, other: Server) -> bool:
    """Tell whether another server follows this one and has nothing that speaks against it; objections came before."""
    status = other.status
    return (
        status is not None
        and status.unread is None
        and status.read_only
        and status.link is not None
        and server.is_source_of(status.link)
        and status.link.sql_thread is not ThreadState.STOPPED
    )


def _unprotected(status: ServerStatus, others: list[Server], terms: Terms) -> bool:
    """Tell whether commits are meant to wait for a replica and would not: replicas try to connect every second."""
    if terms.durability is None or not others:
        return False
    semi_sync = status.semi_sync
    return semi_sync is None or not (semi_sync.source_enabled or semi_sync.acknowledging_replicas)


def _waiting(missing: list[Server], terms: Terms) -> Stay:
    return Stay(
        cause=Cause.WAITING,
        reason=_doubts(missing) or "It was not just started, so a switchover may have closed it",
        detail=_details(missing),
        action=f"nothing yet: they are waited for up to {terms.grace_seconds:g} s",
    )


def _doubts(missing: c.Iterable[Server]) -> str:
    return "; ".join(_doubt(other) for other in missing)


def _doubt(other: Server) -> str:
    status = other.status
    if status is None or status.unread is not None:
        return f"{other.name} cannot be asked"
    if status.link is None:
        return f"{other.name} follows nobody"
    return f"{other.name} does not apply what it receives"


def _details(missing: c.Iterable[Server]) -> str:
    return "; ".join(_problem(other) for other in missing if other.status is None or other.status.unread is not None)


def _names(servers: c.Iterable[Server]) -> str:
    return ", ".join(server.name for server in servers)


__all__ = ("Cause", "Decision", "Done", "Open", "Stay", "Terms", "decide", "objections", "started_at")
