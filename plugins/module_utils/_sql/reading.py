# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a server says of itself, in time, whatever hangs."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._replication.errors import StatementTimeoutError
from .._replication.topology import ClockOffset
from .connection import connect

if t.TYPE_CHECKING:
    from .._replication.status import ServerStatus
    from .connection import Login, SqlSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A status, and the session to go on with."""

    session: SqlSession
    status: ServerStatus
    clock: ClockOffset


def read_in_time(login: Login, session: SqlSession | None, heartbeat_schema: str, *, deadline: float) -> Reading:
    """Ask everything; when that hangs, ask on a new connection for what does not."""
    if session is None:
        session = connect(login, deadline=deadline)
    session.deadline = deadline
    begin = time.time()
    try:
        status = session.dialect.read_status(session, heartbeat_schema)
    except StatementTimeoutError as exc:
        session.close()
        session = connect(login, deadline=deadline)
        begin = time.time()
        try:
            status = session.dialect.read_what_answers(session, exc.statement)
        except BaseException:
            session.close()
            raise
    clock = ClockOffset(least=status.clock - time.time(), most=status.clock - begin)
    session.deadline = None
    return Reading(session=session, status=status, clock=clock)


__all__ = ("Reading", "read_in_time")
