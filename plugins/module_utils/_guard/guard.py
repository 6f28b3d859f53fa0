# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Ask until it is decided whether this server opens itself, and see that it was right to."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from dataclasses import dataclass

from .._replication.errors import DatabaseError, RefusedError
from .._replication.reopening import Cause, Decision, Done, Open, Stay, Terms, decide, objections, started_at

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.status import ServerStatus
    from .._replication.topology import Topology

_SHORTEST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 5.0
_SLOWING = 1 / 12
"""The longest pause is reached after a minute."""
_JUST_STARTED_SECONDS = 60
_WATCH_SECONDS = 6.0
"""For so long it looks at the others after it has opened: a failover may have begun before and takes seconds."""


class ServerRestartedError(DatabaseError):
    """The server is another process than the one whose start began this."""

    def __init__(self) -> None:
        super().__init__("The server was started anew: this is left to the guard of that start")


class Servers(t.Protocol):
    """All servers: what they say, and what can be done to this one."""

    def read(self) -> Topology:
        """Ask all servers, each with a limit of time."""

    def open(self, started: int) -> None:
        """Open this server, if it is the process that began then."""

    def close(self) -> None:
        """Close this server and cut its clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What time it is, and how it passes."""

    now: c.Callable[[], float] = time.monotonic
    sleep: c.Callable[[float], None] = time.sleep


class Guard:
    """Decides once for one start of the server."""

    def __init__(
        self, own: str, servers: Servers, terms: Terms, tell: c.Callable[[Decision], None], clock: Clock
    ) -> None:
        self._own = own
        self._servers = servers
        self._terms = terms
        self._tell = tell
        self._clock = clock
        self._began = clock.now()
        self._started: int | None = None

    def run(self) -> Done:
        """Look until there is nothing left to decide."""
        while True:
            decision = self._look()
            self._tell(decision)
            if isinstance(decision, Open):
                decision = self._open(decision)
                self._tell(decision)
            if isinstance(decision, Done):
                return decision
            self._clock.sleep(self._pause())

    def _look(self) -> Decision:
        topology = self._servers.read()
        status = self._status(topology)
        if status is not None and not self._same_process(status):
            return Done(str(ServerRestartedError()))
        return decide(topology, self._own, self._waited(), self._terms)

    def _open(self, decision: Open) -> Done | Stay:
        try:
            self._servers.open(self._started or 0)
        except ServerRestartedError as exc:
            return Done(str(exc))
        except RefusedError as exc:
            return Stay(
                cause=Cause.REFUSED, reason=str(exc), action="run the playbook site, which configures the server"
            )
        except DatabaseError as exc:
            return Stay(cause=Cause.NOT_ASKED, reason=f"Opening failed: {exc}", action="nothing yet: it is tried again")
        return self._watch(decision)

    def _watch(self, decision: Open) -> Done | Stay:
        """Close it again when somebody was promoted at the same moment."""
        end = self._clock.now() + _WATCH_SECONDS
        while True:
            topology = self._servers.read()
            status = self._status(topology)
            if status is not None and (status.read_only or status.link is not None):
                return Done("It was opened, and somebody has given it another role since")
            found = objections(topology, self._own)
            if found:
                return self._close(found[0])
            if self._clock.now() >= end:
                return Done(f"It takes writes again. {decision.reason}")
            self._clock.sleep(_SHORTEST_PAUSE_SECONDS)

    def _close(self, objection: Stay) -> Stay:
        while True:
            try:
                self._servers.close()
                break
            except DatabaseError as exc:
                self._tell(dataclasses.replace(objection, reason=f"{objection.reason}, and closing failed: {exc}"))
                self._clock.sleep(_SHORTEST_PAUSE_SECONDS)
        # Whatever the others say next: not at once again.
        self._began = self._clock.now()
        self._terms = dataclasses.replace(self._terms, just_started=False)
        return dataclasses.replace(objection, reason=f"It was opened and closed again: {objection.reason}")

    def _status(self, topology: Topology) -> ServerStatus | None:
        return next(server.status for server in topology.servers if server.name == self._own)

    def _same_process(self, status: ServerStatus) -> bool:
        started = started_at(status)
        if self._started is None:
            self._started = started
            fresh = status.uptime_seconds <= _JUST_STARTED_SECONDS
            self._terms = dataclasses.replace(self._terms, just_started=fresh)
        return abs(started - self._started) <= 1

    def _waited(self) -> float:
        return self._clock.now() - self._began

    def _pause(self) -> float:
        return min(_LONGEST_PAUSE_SECONDS, max(_SHORTEST_PAUSE_SECONDS, self._waited() * _SLOWING))


__all__ = ("Clock", "Guard", "ServerRestartedError", "Servers")
