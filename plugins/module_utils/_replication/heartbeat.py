# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A row that the primary writes every second.

Its age on a replica is the lag, whatever the threads say; and the last one of a primary that is gone says what its
commits were worth.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from .scopes import as_pattern, scope_sql
from .session import Statement, quote_identifier

if t.TYPE_CHECKING:
    from .engines.base import Dialect
    from .session import Session

HEARTBEAT_TABLE = "heartbeat"
_EVENT = "heartbeat"
_WRITER = "webinfra_heartbeat"
"""Locked, so that nobody logs in as it, and without the right to write where read_only forbids it, which root has."""
_GRANTEE = f"'{_WRITER}'@'localhost'"
_INTERVAL = "1 SECOND"
_FIGURES = ("written_at", "commit_wait_ms", "acknowledging")
_BODY = (
    "BEGIN IF @@global.read_only = 0 AND GET_LOCK('webinfra.heartbeat', 0) = 1 THEN"
    f" INSERT INTO heartbeat (server_id, {', '.join(_FIGURES)}) VALUES (@@global.server_id, UTC_TIMESTAMP(6),"
    " IF((SELECT VARIABLE_VALUE FROM {status} WHERE VARIABLE_NAME = 'rpl_semi_sync_{source}_status') = 'ON',"
    " (SELECT VARIABLE_VALUE FROM {variables} WHERE VARIABLE_NAME = 'rpl_semi_sync_{source}_timeout'), NULL),"
    " (SELECT VARIABLE_VALUE FROM {status} WHERE VARIABLE_NAME = 'rpl_semi_sync_{source}_clients'))"
    f" ON DUPLICATE KEY UPDATE {', '.join(f'{name} = VALUES({name})' for name in _FIGURES)};"
    " DO RELEASE_LOCK('webinfra.heartbeat'); END IF; END"
)
"""Writes on an open server only: one that comes back closed must not log transactions of its own.

The lock keeps those that wait for an acknowledgement from becoming more every second. The table is in the event's own
database: MySQL 9.7 does not give back the name of another one as it was written. What commits wait for is asked of
tables, which say nothing where a variable would be an error: MySQL has these only with its plugins.
"""
_TABLE_RIGHTS = ("INSERT", "SELECT", "UPDATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a server has of it."""

    database: str
    table: bool
    writer: bool
    event: bool
    """It is there, enabled, and does what it should."""
    scheduler: bool

    @property
    def missing(self) -> list[str]:
        parts = {
            "the table": self.table,
            "the account that writes": self.writer,
            "the event": self.event,
            "the event scheduler": self.scheduler,
        }
        return [name for name, there in parts.items() if not there]

    @property
    def kept(self) -> Heartbeat:
        """Return what the server has once everything is ensured."""
        return dataclasses.replace(self, table=True, writer=True, event=True, scheduler=True)

    def as_settings(self) -> dict[str, t.Any]:
        """Return it for a diff."""
        return {name: getattr(self, name) for name in ("table", "writer", "event", "scheduler")}


def read_heartbeat(session: Session, database: str) -> Heartbeat:
    """Ask for all parts at once."""
    row = session.query(dataclasses.replace(_READ, parameters=_parameters(database)))[0]
    return Heartbeat(
        database=database,
        table=int(row["columns_found"]) == len(_FIGURES),
        writer=int(row["rights"]) == len(_TABLE_RIGHTS) + 1,
        event=(row["state"], row["definer"], row["every"]) == ("ENABLED", f"{_WRITER}@localhost", _INTERVAL)
        and row["body"] == _body(session.dialect),
        scheduler=str(row["scheduler"]).upper() in ("ON", "1"),
    )


def heartbeat_table(database: str) -> Statement:
    """Make the table: whoever reads it may be granted that before anything is written."""
    return Statement(
        f"CREATE TABLE IF NOT EXISTS {_table(database)} (server_id INT UNSIGNED NOT NULL PRIMARY KEY,"
        " written_at DATETIME(6) NOT NULL, commit_wait_ms BIGINT UNSIGNED NULL, acknowledging INT UNSIGNED NULL)"
        " ENGINE=InnoDB"
    )


def statements(dialect: Dialect, found: Heartbeat) -> tuple[Statement, ...]:
    """Ensure what is missing; every statement may be run again."""
    schema = quote_identifier(found.database)
    table: list[Statement] = []
    if not found.table:
        table = [
            Statement(f"CREATE DATABASE IF NOT EXISTS {schema} CHARACTER SET = utf8mb4"),
            # One of an earlier release lacks columns, and holds nothing but the last second.
            Statement(f"DROP TABLE IF EXISTS {_table(found.database)}"),
            heartbeat_table(found.database),
        ]
    writer = [] if found.writer else _writer(found.database)
    event = [] if found.event else _event(found.database, _body(dialect))
    scheduler = [] if found.scheduler else [Statement("SET GLOBAL event_scheduler = ON")]
    return (*table, *writer, *event, *scheduler)


_READ = Statement(
    "SELECT (SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
    f" AND COLUMN_NAME IN ({', '.join(repr(name) for name in _FIGURES)})) AS columns_found,"
    " (SELECT COUNT(*) FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE = %s AND TABLE_SCHEMA = %s"
    " AND TABLE_NAME = %s AND PRIVILEGE_TYPE IN ('INSERT', 'SELECT', 'UPDATE'))"
    " + (SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = %s AND TABLE_SCHEMA = %s"
    " AND PRIVILEGE_TYPE = 'EVENT') AS rights,"
    " event.STATUS AS state, event.EVENT_DEFINITION AS body, event.DEFINER AS definer,"
    " CONCAT(event.INTERVAL_VALUE, ' ', event.INTERVAL_FIELD) AS every, @@global.event_scheduler AS scheduler"
    " FROM (SELECT 1 AS one) AS single"
    " LEFT JOIN information_schema.EVENTS AS event ON event.EVENT_SCHEMA = %s AND event.EVENT_NAME = %s"
)


def _parameters(database: str) -> tuple[str, ...]:
    table = (database, HEARTBEAT_TABLE)
    return (*table, _GRANTEE, *table, _GRANTEE, as_pattern(database), database, _EVENT)


def _writer(database: str) -> list[Statement]:
    who = (_WRITER, "localhost")
    return [
        Statement("CREATE USER IF NOT EXISTS %s@%s ACCOUNT LOCK", who),
        Statement(f"GRANT {', '.join(_TABLE_RIGHTS)} ON {_table(database)} TO %s@%s", who),
        Statement(f"GRANT EVENT ON {scope_sql(f'{database}.*')} TO %s@%s", who),
    ]


def _event(database: str, body: str) -> list[Statement]:
    name = f"{quote_identifier(database)}.{quote_identifier(_EVENT)}"
    return [
        Statement(f"DROP EVENT IF EXISTS {name}"),
        Statement(
            f"CREATE DEFINER = %s@%s EVENT {name} ON SCHEDULE EVERY {_INTERVAL} DO {body}",
            (_WRITER, "localhost"),
        ),
    ]


def _body(dialect: Dialect) -> str:
    status, variables = dialect.figures_of_server
    return _BODY.format(status=status, variables=variables, source=dialect.semi_sync_words[0])


def _table(database: str) -> str:
    return f"{quote_identifier(database)}.{quote_identifier(HEARTBEAT_TABLE)}"


__all__ = ("HEARTBEAT_TABLE", "Heartbeat", "heartbeat_table", "read_heartbeat", "statements")
