# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""All servers together: who is the primary, by what the servers themselves say."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .advice import fencing_command, rejoining_command
from .errors import DatabaseError
from .status import Link, Role, ServerStatus, ThreadState
from .steps import Refusal

if t.TYPE_CHECKING:
    import collections.abc as c

    from .gtid import Gtids


class InvalidTopologyError(DatabaseError):
    """The list of servers is not one to decide from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """How far a server's clock is ahead of the one of whoever asked, between two bounds: an answer takes time."""

    least: float
    most: float

    @property
    def middle(self) -> float:
        return (self.least + self.most) / 2

    def ahead_of(self, other: ClockOffset) -> float:
        """Return by how much at least it is ahead, negative if it is behind, and 0 while both may be equal."""
        if self.least > other.most:
            return self.least - other.most
        return min(0.0, self.most - other.least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server as others know it, and what it said when it was asked."""

    name: str
    addresses: frozenset[str] = frozenset()
    """The other names and addresses by which a replica may have been told to follow it."""
    port: int = 3306
    status: ServerStatus | None
    """Nothing when it could not be asked."""
    problem: str | None = None
    """Why it could not be asked."""
    remedy: str | None = None
    """What an operator does about that."""
    hangs: bool = False
    """It lets in and does not answer."""
    clock: ClockOffset | None = None

    @property
    def reachable(self) -> bool:
        return self.status is not None

    def is_source_of(self, link: Link) -> bool:
        """Tell whether this is the server that a replica follows."""
        if link.host in self.addresses or link.host == self.name:
            return link.port == self.port
        if self.status is None or link.server_id is None:
            return False
        # The replica may know it by another address, and has learnt its identity when it connected.
        return (link.server_id, link.server_uuid) == (self.status.server_id, self.status.server_uuid)


@dataclass(frozen=True, slots=True)
class Topology:
    """All servers of one replicated database."""

    servers: tuple[Server, ...]

    @property
    def writable(self) -> tuple[Server, ...]:
        """Return the servers that take writes and follow nobody."""
        return tuple(server for server in self.servers if server.status and server.status.role is Role.PRIMARY)

    @property
    def primary(self) -> Server | None:
        """Return the primary if there is exactly one."""
        return self.writable[0] if len(self.writable) == 1 else None

    @property
    def answering(self) -> tuple[tuple[Server, ServerStatus], ...]:
        """Return the servers that could be asked, with their status."""
        return tuple((server, server.status) for server in self.servers if server.status is not None)

    @property
    def followers(self) -> tuple[tuple[Server, ServerStatus, Link], ...]:
        """Return the servers that have a source, with their status and their link."""
        return tuple(
            (server, server.status, server.status.link)
            for server in self.servers
            if server.status is not None and server.status.link is not None
        )

    @property
    def unreachable(self) -> tuple[Server, ...]:
        return tuple(server for server in self.servers if not server.reachable)

    def errant(self, server: Server) -> Gtids | None:
        """Return the transactions of a server that the primary lacks; nothing when they cannot be compared."""
        pair = self._beside_primary(server)
        return pair and pair[1].executed.subtract(pair[0].executed)

    def transactions_behind(self, server: Server) -> int | None:
        """Count the transactions of the primary that a server lacks; nothing when they cannot be compared."""
        pair = self._beside_primary(server)
        return pair and pair[0].executed.ahead_of(pair[1].executed)

    def heartbeat_lag(self, server: Server) -> float | None:
        """Return the seconds between the heartbeats that the primary and a replica show.

        Both were written by one clock, so no skew is in it. Without a primary the age by the replica's clock remains.
        """
        status = server.status
        if status is None or status.link is None or status.heartbeat_written is None:
            return None
        pair = self._beside_primary(server)
        if pair is None or pair[0].heartbeat_written is None:
            return status.heartbeat_age_seconds
        return max(0.0, pair[0].heartbeat_written - status.heartbeat_written)

    def _beside_primary(self, server: Server) -> tuple[ServerStatus, ServerStatus] | None:
        primary = self.primary.status if self.primary is not None else None
        if primary is None or server.status is None or server.status.engine is not primary.engine:
            return None
        return primary, server.status

    def source_of(self, link: Link) -> Server | None:
        """Return the server that a replica follows, if it is one of these."""
        return next((server for server in self.servers if server.is_source_of(link)), None)


def choose_primary(servers: c.Sequence[Server], initial: str) -> str | Refusal:
    """Name the primary: the servers' evidence decides, the initial name only where there is none against it.

    A wrong answer here costs data: replicas would be pointed to a server that lacks what they have.
    """
    topology = Topology(tuple(servers))
    names = [server.name for server in servers]
    if initial not in names or len(set(names)) != len(names):
        raise InvalidTopologyError(
            f"The initial primary {initial!r} must be one of the servers, and each may be listed once: "
            f"{', '.join(names) or 'none given'}"
        )
    proven = [server for server in topology.writable if server.status and not server.status.pristine]
    if len(proven) > 1:
        return Refusal(_two_primaries(topology, proven))
    if proven:
        return _unless_bypassed(topology, proven[0])
    if topology.followers:
        return _followed(topology)
    if topology.unreachable:
        return Refusal(
            f"{_seen(topology)}: the primary may be the one that cannot be asked. What to do: bring "
            f"{_names(topology.unreachable)} back, or take it out of the inventory if it is gone for good"
        )
    return _first_choice(topology, initial)


def _two_primaries(topology: Topology, writable: c.Sequence[Server]) -> str:
    """Say which one to close, where the replicas tell: they have followed the one that was promoted last."""
    followed = [server for server in writable if _followers(topology, server)]
    if len(followed) != 1:
        seen = "the replicas do not tell which one it should be"
        closing = f"find out which one the application writes to, and close the others: {fencing_command('NAME')}"
    else:
        others = [server for server in writable if server not in followed]
        seen = f"{_names(_followers(topology, followed[0]))} follows {followed[0].name}, and nobody {_names(others)}"
        closing = f"close {_names(others)}: {'; '.join(fencing_command(server.name) for server in others)}"
    return (
        f"{_names(writable)} all take writes: {seen}. What to do: {closing}. Then {rejoining_command()} saves what "
        "they were given meanwhile and makes them replicas"
    )


def _followers(topology: Topology, source: Server) -> tuple[Server, ...]:
    return tuple(server for server, _status, link in topology.followers if source.is_source_of(link))


def _unless_bypassed(topology: Topology, candidate: Server) -> str | Refusal:
    """Refuse when a replica of somebody else has what the only writable server lacks: that one was overtaken."""
    for server, status, link in topology.followers:
        if not candidate.is_source_of(link) and _bypassed(candidate, status):
            return Refusal(
                f"{candidate.name} takes writes, but {server.name} follows {link.endpoint} and has transactions that "
                f"{candidate.name} lacks. {_seen(topology)}. What to do: bring {link.host} back, or decide which "
                "history is the true one and seed the other servers from it"
            )
    return candidate.name


def _followed(topology: Topology) -> str | Refusal:
    """Find the closed server that the others follow: a primary that has restarted looks like this."""
    sources = {link.endpoint: topology.source_of(link) for _server, _status, link in topology.followers}
    unknown = [endpoint for endpoint, source in sources.items() if source is None]
    candidates = {source.name: source for source in sources.values() if source is not None}
    if unknown or len(candidates) != 1:
        return Refusal(
            f"No server takes writes, and the replicas do not agree on one of these servers: {_seen(topology)}. "
            "What to do: bring the missing server back, or promote the replica that has the most"
        )
    candidate = next(iter(candidates.values()))
    if candidate.status is None or candidate.status.link is not None:
        return Refusal(
            f"No server takes writes: {_seen(topology)}. What to do: bring {candidate.name} back, or promote the "
            "replica that has the most; that is an operator's decision"
        )
    for server, status, _link in topology.followers:
        alone = status.possessed.subtract(candidate.status.executed)
        if status.engine is candidate.status.engine and alone:
            return Refusal(
                f"No server takes writes, and {candidate.name}, which the others follow, lacks transactions that "
                f"{server.name} has: {alone}. What to do: promote {server.name}, and bring {candidate.name} back as "
                "its replica"
            )
    if all(link.established and link.io_thread is ThreadState.STOPPED for _, _, link in topology.followers):
        return Refusal(
            f"No server takes writes, and nobody receives from {candidate.name} any more: {_seen(topology)}. A "
            "failover may be under way. What to do: run the failover again, which finishes it; or start the "
            "replication of those that were stopped by hand, then run this again"
        )
    return candidate.name


def _first_choice(topology: Topology, initial: str) -> str | Refusal:
    """Take the initial primary where nobody follows anybody, unless another server has something it lacks."""
    chosen = next(server for server in topology.servers if server.name == initial)
    for server in topology.servers:
        status = server.status
        if server is not chosen and status is not None and not status.pristine and _keeps_more(chosen, status):
            return Refusal(
                f"No server takes writes, and {server.name} holds data that {initial} lacks. {_seen(topology)}. "
                f"What to do: if {server.name} was the primary, open it for writes (state=primary there) and run "
                "again; if its data is worthless, empty it"
            )
    return initial


def _keeps_more(chosen: Server, other: ServerStatus) -> bool:
    if chosen.status is None or chosen.status.pristine:
        return True
    return _lacks(chosen, other)


def _bypassed(candidate: Server, other: ServerStatus) -> bool:
    """Tell whether another one has what the candidate lacks, but for what the candidate writes.

    That comes to a replica of its replica as well, and servers are not asked at the same moment.
    """
    if candidate.status is None or not _lacks(candidate, other):
        return False
    return bool(other.executed.subtract(candidate.status.executed).without_origin(candidate.status.origin))


def _lacks(candidate: Server, other: ServerStatus) -> bool:
    return (
        candidate.status is not None
        and candidate.status.engine is other.engine
        and not candidate.status.executed.contains(other.executed)
    )


def _names(servers: c.Iterable[Server]) -> str:
    return ", ".join(server.name for server in servers)


def _seen(topology: Topology) -> str:
    return "; ".join(_sight(server) for server in topology.servers)


def _sight(server: Server) -> str:
    status = server.status
    if status is None:
        return f"{server.name} cannot be asked"
    if status.link is not None:
        return f"{server.name} follows {status.link.endpoint}"
    if status.pristine:
        return f"{server.name} is empty"
    return f"{server.name} {'is closed for writes' if status.read_only else 'takes writes'} and follows nobody"


__all__ = ("ClockOffset", "InvalidTopologyError", "Server", "Topology", "choose_primary")
