# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The servers as the guard meets them: it asks all, and acts on its own one alone."""

from __future__ import annotations

import typing as t

from .._replication import semi_sync
from .._replication.convergence import make_primary
from .._replication.errors import StatementFailedError
from .._replication.moves.transactions import close_writes, cut_clients
from .._replication.reopening import started_at
from .._sql.connection import connected
from .._sql.survey import Survey
from .guard import ServerRestartedError

if t.TYPE_CHECKING:
    from .._replication.session import Session
    from .._replication.topology import Topology
    from .settings import Settings

_CLOSE_SECONDS = 1
_CLOSE_TRIES = 5


class Members:
    """All servers of the topology, of which one is this host's own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._survey = Survey(settings.targets, settings.primary.heartbeat_database or "")

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._survey.__exit__(*exception)

    def read(self) -> Topology:
        """Ask all; twice where the own session was cut, as a move cuts those of all clients: that makes a new one."""
        topology = self._survey.read()
        own = next(server for server in topology.servers if server.name == self._settings.own)
        return topology if own.reachable else self._survey.read()

    def open(self, started: int) -> None:
        """Open it as every promotion does; a connection ends with its process, so it cannot become another one now."""
        with connected(self._settings.local) as session:
            if abs(started_at(session.dialect.read_status(session)) - started) > 1:
                raise ServerRestartedError
            make_primary(session, self._settings.primary)

    def close(self) -> None:
        """Close it, and end the connections of all clients.

        Closing waits for commits, and they may wait for replicas that have gone. Those of clients end with the clients,
        the heartbeat's only when nobody is waited for any more; by then no client is left to be told that it is safe.
        """
        with connected(self._settings.local) as session:
            for attempt in range(_CLOSE_TRIES):
                cut_clients(session, self._settings.local.user)
                if attempt > 0:
                    _wait_for_nobody(session)
                if _closed(session, last=attempt == _CLOSE_TRIES - 1):
                    break
            cut_clients(session, self._settings.local.user)


def _wait_for_nobody(session: Session) -> None:
    for statement in semi_sync.statements(session.dialect, semi_sync.JUST_LOADED, semi_sync.settings_of_replica()):
        session.query(statement)


def _closed(session: Session, *, last: bool) -> bool:
    try:
        close_writes(session, _CLOSE_SECONDS)
    except StatementFailedError:
        if last:
            raise
        return False
    return True


__all__ = ("Members",)
