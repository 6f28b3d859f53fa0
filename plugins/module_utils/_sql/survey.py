# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""All servers at once: one thread and one session each, so that the slowest one decides how long it takes."""

from __future__ import annotations

import dataclasses
import functools
import secrets
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._replication.engines.base import HEARTBEAT_SCHEMA
from .._replication.errors import ConnectionFailedError, DatabaseError, StatementTimeoutError
from .._replication.findings.canary import Sighting
from .._replication.session import Statement, quote_identifier
from .._replication.topology import Server, Topology
from .reading import read_in_time
from .sessions import Sessions

if t.TYPE_CHECKING:
    import collections.abc as c

    from .connection import Login

_PAUSE_SECONDS = 0.02
_ANSWER_SECONDS = 0.4
"""What a server has for its answers beyond the time for a connection, of which it needs next to nothing."""
_CANARY_ROWS = 1024
"""Checks that run at the same time must not overwrite each other's row, and the table must not grow."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server to be asked."""

    name: str
    addresses: frozenset[str]
    login: Login


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Canary:
    """A row on its way."""

    look: Statement
    token: str
    released: float
    timeout: float


class Survey:
    """The open sessions to all servers of a topology."""

    def __init__(self, targets: c.Sequence[Target], heartbeat_schema: str = HEARTBEAT_SCHEMA) -> None:
        self._targets = {target.name: target for target in targets}
        self._heartbeat_schema = heartbeat_schema
        self._sessions = Sessions({target.name: target.login for target in targets})
        self._pool = ThreadPoolExecutor(max_workers=max(len(targets), 1))

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._sessions.close()
        self._pool.shutdown()

    def read(self) -> Topology:
        """Ask all servers; then the primary again, so that no replica is ahead of what is known of it."""
        servers = tuple(self._pool.map(self._read, self._targets.values()))
        return Topology(tuple(self._pool.map(self._reread, servers)) if len(servers) > 1 else servers)

    def fly_canary(
        self, primary: Server, replicas: c.Sequence[Server], database: str, timeout: float
    ) -> list[Sighting]:
        """Write a row on the primary and see when each replica shows it."""
        row = secrets.randbelow(_CANARY_ROWS)
        token = secrets.token_hex(16)
        table = f"{quote_identifier(database)}.{quote_identifier('canary')}"
        write = Statement(
            f"INSERT INTO {table} (id, token, written_at) VALUES (%s, %s, UTC_TIMESTAMP(6))"
            " ON DUPLICATE KEY UPDATE token = %s, written_at = UTC_TIMESTAMP(6)",
            (row, token, token),
        )
        try:
            self._sessions.to(primary.name).query(write)
        except DatabaseError as exc:
            self._sessions.forget(primary.name)  # its next answer would be the one to this statement
            return [Sighting(server=primary.name, seconds=None, problem=f"the row could not be written: {exc}")]
        look = Statement(f"SELECT token FROM {table} WHERE id = %s", (row,))
        canary = _Canary(look=look, token=token, released=time.monotonic(), timeout=timeout)
        return list(self._pool.map(functools.partial(self._watch, canary), replicas))

    def _watch(self, canary: _Canary, server: Server) -> Sighting:
        try:
            session = self._sessions.to(server.name)
            while True:
                rows = session.query(canary.look)
                seconds = time.monotonic() - canary.released
                if rows and rows[0]["token"] == canary.token:
                    return Sighting(server=server.name, seconds=seconds)
                if seconds >= canary.timeout:
                    break
                time.sleep(_PAUSE_SECONDS)
        except DatabaseError as exc:
            self._sessions.forget(server.name)
            return Sighting(server=server.name, seconds=None, problem=f"the row could not be looked up: {exc}")
        return Sighting(
            server=server.name,
            seconds=None,
            problem=f"a row written on the primary did not arrive within {canary.timeout:g} s",
        )

    def _read(self, target: Target) -> Server:
        server = Server(name=target.name, addresses=target.addresses, port=target.login.port, status=None)
        deadline = time.monotonic() + target.login.connect_timeout + _ANSWER_SECONDS
        session = self._sessions.take(target.name)
        try:
            reading = read_in_time(target.login, session, self._heartbeat_schema, deadline=deadline)
        except DatabaseError as exc:
            if session is not None:
                session.close()
            return _unseen(server, exc)
        self._sessions.keep(target.name, reading.session)
        return dataclasses.replace(server, status=reading.status, clock=reading.clock)

    def _reread(self, server: Server) -> Server:
        if server.status is None or server.status.link is not None:
            return server
        try:
            session = self._sessions.to(server.name)
            session.deadline = time.monotonic() + _ANSWER_SECONDS
            executed = session.dialect.read_identity(session).executed
            session.deadline = None
        except DatabaseError as exc:
            self._sessions.forget(server.name)
            return _unseen(server, exc)
        return dataclasses.replace(server, status=dataclasses.replace(server.status, executed=executed))


def _unseen(server: Server, exc: DatabaseError) -> Server:
    if isinstance(exc, ConnectionFailedError):
        return dataclasses.replace(server, status=None, problem=exc.reason, remedy=exc.action)
    return dataclasses.replace(server, status=None, problem=str(exc), hangs=isinstance(exc, StatementTimeoutError))


__all__ = ("Survey", "Target")
