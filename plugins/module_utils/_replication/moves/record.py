# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The table of moves: who, when, what, how long; it travels with the data, so that the next primary knows."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..session import Session, Statement, quote_identifier
from .failover import PastMove

MOVES_TABLE = "moves"

_COLUMNS = (
    "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(16) NOT NULL,"
    " former_primary VARCHAR(255) NULL, new_primary VARCHAR(255) NOT NULL, finished_at DATETIME(6) NOT NULL,"
    " writes_closed_ms DOUBLE NULL, forced TINYINT NOT NULL, requested_by VARCHAR(255) NULL, lost TEXT NULL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRecord:
    """What is written down of a move."""

    kind: str
    former: str | None
    primary: str
    writes_closed_ms: float | None
    forced: bool
    requested_by: str | None
    lost: str | None


def read_last_move(session: Session, database: str) -> PastMove | None:
    """Ask a server for the newest row; a server that was never moved has no such table."""
    found = session.query(
        Statement(
            "SELECT COUNT(*) AS tables_found FROM information_schema.TABLES"
            " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
            (database, MOVES_TABLE),
        )
    )
    if not int(found[0]["tables_found"]):
        return None
    rows = session.query(
        Statement(
            "SELECT kind, new_primary, TIMESTAMPDIFF(MICROSECOND, finished_at, UTC_TIMESTAMP(6)) AS age"
            f" FROM {_table(database)} ORDER BY finished_at DESC LIMIT 1"
        )
    )
    if not rows:
        return None
    row = rows[0]
    return PastMove(kind=row["kind"], primary=row["new_primary"], seconds_ago=max(0, int(row["age"])) / 1_000_000)


def recording(database: str, record: MoveRecord) -> tuple[Statement, ...]:
    """Write a row, and make the table for the first one."""
    values: tuple[t.Any, ...] = (
        record.kind,
        record.former,
        record.primary,
        record.writes_closed_ms,
        int(record.forced),
        record.requested_by,
        record.lost,
    )
    return (
        Statement(f"CREATE DATABASE IF NOT EXISTS {quote_identifier(database)} CHARACTER SET = utf8mb4"),
        Statement(f"CREATE TABLE IF NOT EXISTS {_table(database)} ({_COLUMNS}) ENGINE=InnoDB"),
        Statement(
            f"INSERT INTO {_table(database)} (kind, former_primary, new_primary, finished_at, writes_closed_ms, forced,"
            " requested_by, lost) VALUES (%s, %s, %s, UTC_TIMESTAMP(6), %s, %s, %s, %s)",
            values,
        ),
    )


def _table(database: str) -> str:
    return f"{quote_identifier(database)}.{quote_identifier(MOVES_TABLE)}"


__all__ = ("MOVES_TABLE", "MoveRecord", "read_last_move", "recording")
