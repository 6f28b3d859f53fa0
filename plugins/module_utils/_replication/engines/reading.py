# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What both engines are asked in the same words."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..heartbeat import HEARTBEAT_TABLE
from ..session import Row, Session, Statement, quote_identifier
from ..status import Beat, Link, ThreadState
from .base import is_on

if t.TYPE_CHECKING:
    from ..gtid import Gtids

CLOCK = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS clock"
HEARTBEAT_VISIBLE = (
    "(SELECT COUNT(*) FROM information_schema.COLUMNS"
    f" WHERE TABLE_SCHEMA = %s AND TABLE_NAME = '{HEARTBEAT_TABLE}' AND COLUMN_NAME = 'acknowledging') AS heartbeats"
)
"""A table that is not there, not for this account, or of an earlier release would answer with an error."""

_WAITING_FOR_DISK = ("waiting for disk space", "waiting for someone to free space")
_CONNECTING = ("connecting", "reconnect", "waiting to reconnect")


@dataclass(frozen=True, slots=True)
class Beats:
    """What everybody wrote of himself last, the newest first, as one server has it."""

    own: int
    """The number of that server."""
    rows: tuple[Beat, ...] = ()

    @property
    def of_another(self) -> Beat | None:
        """The newest one that the server has not written itself."""
        return next((beat for beat in self.rows if beat.server_id != self.own), None)

    def age(self, link: Link | None) -> float | None:
        """Return how old the newest one of the source is; of the server itself, when it has none."""
        if link is None:
            ages = [beat.age_seconds for beat in self.rows if beat.server_id == self.own]
        else:
            # A link that has not connected since a restart does not know its source's number.
            ages = [beat.age_seconds for beat in self.rows if beat.server_id == link.server_id] or [
                beat.age_seconds for beat in self.rows if link.server_id is None and beat.server_id != self.own
            ]
        return ages[0] if ages else None


def read_beats(session: Session, schema: str, server: Row) -> Beats:
    """Ask for all heartbeats that there are to be seen."""
    own = int(server["server_id"])
    if not int(server["heartbeats"]):
        return Beats(own)
    table = f"{quote_identifier(schema)}.{quote_identifier(HEARTBEAT_TABLE)}"
    rows = session.query(
        Statement(
            "SELECT server_id, TIMESTAMPDIFF(MICROSECOND, written_at, UTC_TIMESTAMP(6)) AS age, commit_wait_ms,"
            f" acknowledging FROM {table} ORDER BY age"
        )
    )
    return Beats(own, tuple(_beat(row) for row in rows))


def unread_link(server: Row, threads: list[Row], received: Gtids, *, io_thread: str, applier: str) -> Link | None:
    """Make do with the list of threads when the status of the link hangs.

    A server that takes writes and runs no such thread is a primary whose other answers hang.
    """
    if not threads and not is_on(server["read_only"]):
        return None
    io_states = [str(one["state"] or "") for one in threads if one["thread"] == io_thread]
    applying = any(one["thread"] == applier for one in threads)
    return Link(
        host="",
        port=0,
        user="",
        tls=False,
        tls_verified=False,
        ca_file=None,
        auto_position=False,
        server_id=None,
        server_uuid=None,
        established=False,
        io_thread=_io_thread(io_states),
        sql_thread=ThreadState.RUNNING if applying else ThreadState.STOPPED,
        io_error=None,
        sql_error=None,
        lag_seconds=None,
        received=received,
        waits_for_disk=waits_for_disk(*(one["state"] for one in threads)),
    )


def waits_for_disk(*states: str | None) -> bool:
    """Tell it from what the threads say they are doing."""
    return any((state or "").lower().startswith(_WAITING_FOR_DISK) for state in states)


def _beat(row: Row) -> Beat:
    return Beat(
        server_id=int(row["server_id"]),
        age_seconds=int(row["age"]) / 1_000_000,
        commit_wait_seconds=None if row["commit_wait_ms"] is None else int(row["commit_wait_ms"]) / 1000,
        acknowledging_replicas=None if row["acknowledging"] is None else int(row["acknowledging"]),
    )


def _io_thread(states: list[str]) -> ThreadState:
    if not states:
        return ThreadState.STOPPED
    connecting = any(state.lower().startswith(_CONNECTING) for state in states)
    return ThreadState.CONNECTING if connecting else ThreadState.RUNNING


__all__ = ("CLOCK", "HEARTBEAT_VISIBLE", "Beats", "read_beats", "unread_link", "waits_for_disk")
