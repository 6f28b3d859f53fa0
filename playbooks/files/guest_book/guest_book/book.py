# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest book: writes go to one endpoint, reads to the other, and who has written sees it."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import dataclass

import pymysql.err

from guest_book.bookmark import Bookmark
from guest_book.entries import Draft, Entry
from guest_book.troubles import DatabaseTroubleError, ReadOnlyError

if t.TYPE_CHECKING:
    from guest_book.database import Asks, Session

SHOWN = 50
CATCH_UP = 0.5
"""Seconds that a reader waits for a replica to have what they wrote."""
DUPLICATE = 1062

_COLUMNS = "id, client_id, name, message, web_server, database_server, written_at"
_LATEST = f"SELECT {_COLUMNS} FROM entries ORDER BY id DESC LIMIT {SHOWN}"
_BY_CLIENT_ID = f"SELECT {_COLUMNS} FROM entries WHERE client_id = %s"
_INSERT = (
    "INSERT INTO entries (client_id, name, message, web_server, database_server, written_at)"
    " VALUES (%s, %s, %s, %s, %s, UTC_TIMESTAMP(6))"
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    entries: tuple[Entry, ...]
    server: str
    fresh: bool
    """Whether the reader's own last write is among what was read."""


@dataclass(frozen=True)
class Writing:
    entry: Entry
    server: str
    created: bool
    """False when the same draft had become an entry before."""
    bookmark: Bookmark


class GuestBook:
    def __init__(self, *, writes: Asks, reads: Asks, quick_writes: Asks) -> None:
        self._writes = writes
        self._reads = reads
        self._quick_writes = quick_writes

    def latest(self, bookmark: Bookmark | None) -> Reading:
        """Read from a replica; from the primary where no replica answers or is far enough."""
        late = False
        try:
            reading = self._reads.ask(lambda session: _read_if_reached(session, bookmark))
            if reading is not None:
                return reading
            late = True
        except DatabaseTroubleError as exc:
            log.warning("Reading falls back to the write endpoint: %s (%s)", exc, exc.__cause__)
        try:
            return self._writes.ask(lambda session: _read(session, session.identity().server, fresh=True))
        except DatabaseTroubleError as exc:
            if not late:
                raise
            log.warning("Reading what the replica has: %s (%s)", exc, exc.__cause__)
        return self._reads.ask(lambda session: _read(session, session.identity().server, fresh=False))

    def add(self, draft: Draft, *, web_server: str) -> Writing:
        """Write an entry once, however often the same draft is sent."""
        return self._writes.ask(lambda session: _write(session, draft, web_server))

    def writer(self) -> str | None:
        """Return the name of the server that takes writes now, or None while there is none."""
        try:
            identity = self._quick_writes.ask(lambda session: session.identity())
        except DatabaseTroubleError as exc:
            log.warning("Nobody takes writes: %s (%s)", exc, exc.__cause__)
            return None
        return identity.server if identity.writable else None


def _read_if_reached(session: Session, bookmark: Bookmark | None) -> Reading | None:
    identity = session.identity()
    # A primary has all that was written; MariaDB's would wait in vain, because it does not follow anybody.
    has_it = bookmark is None or identity.writable or _reaches(session, bookmark)
    return _read(session, identity.server, fresh=True) if has_it else None


def _reaches(session: Session, bookmark: Bookmark) -> bool:
    return bookmark.position is not None and session.reached(bookmark.position, CATCH_UP)


def _read(session: Session, server: str, *, fresh: bool) -> Reading:
    return Reading(entries=tuple(Entry(*row) for row in session.rows(_LATEST)), server=server, fresh=fresh)


def _write(session: Session, draft: Draft, web_server: str) -> Writing:
    identity = session.identity()
    if not identity.writable:
        raise ReadOnlyError("the server behind the write endpoint takes no writes")
    created = True
    try:
        session.rows(_INSERT, draft.client_id, draft.name, draft.message, web_server, identity.server)
    except pymysql.err.IntegrityError as exc:
        if exc.args[0] != DUPLICATE:
            raise
        created = False
    position = session.last_write()
    (row,) = session.rows(_BY_CLIENT_ID, draft.client_id)
    return Writing(entry=Entry(*row), server=identity.server, created=created, bookmark=Bookmark.at(position))


__all__ = ("GuestBook", "Reading", "Writing")
