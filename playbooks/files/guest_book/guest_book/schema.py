# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of this release."""

from __future__ import annotations

import time
import typing as t

from guest_book.database import STEP_TIMEOUT, Asks, Endpoint, Session
from guest_book.troubles import DatabaseTroubleError, ReadOnlyError

if t.TYPE_CHECKING:
    from guest_book.settings import Settings

PATIENCE = 30.0
"""Seconds to wait for a server that takes writes."""
PAUSE = 0.5

ENTRIES_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    client_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
    name VARCHAR(40) NOT NULL,
    message VARCHAR(500) NOT NULL,
    web_server VARCHAR(64) NOT NULL,
    database_server VARCHAR(64) NOT NULL,
    written_at DATETIME(6) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
"""


def migrate(settings: Settings) -> str:
    """Create what is missing, on the server that takes writes, and return its name."""
    return migrate_on(Endpoint.at("write", settings.write_endpoint, settings, timeout=STEP_TIMEOUT), patience=PATIENCE)


def migrate_on(writes: Asks, *, patience: float) -> str:
    """Try until a server takes the writes or patience is at its end."""
    end = time.monotonic() + patience
    while True:
        try:
            return writes.ask(_create)
        except DatabaseTroubleError as exc:
            if time.monotonic() + PAUSE > end:
                raise type(exc)(f"{exc}; gave up after {patience:.0f} seconds") from exc
        time.sleep(PAUSE)


def _create(session: Session) -> str:
    identity = session.identity()
    if not identity.writable:
        raise ReadOnlyError(f"{identity.server} is behind the write endpoint and takes no writes")
    # Asked first: a statement that creates nothing would still stand in the log of every replica.
    if not session.rows("SHOW TABLES LIKE 'entries'"):
        session.rows(ENTRIES_TABLE)
    return identity.server


__all__ = ("migrate", "migrate_on")
