# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MariaDB's words, from 10.11 on."""

from __future__ import annotations

import typing as t

from ..gtid import MariaDBGtids
from ..passwords import native_hash, native_matches
from ..plan import Action, SourceIdentity, SourceSettings
from ..session import Row, Session, Statement
from ..status import Engine, Link, ServerStatus, ThreadState
from .base import SYSTEM_SCHEMAS, Dialect, engine_error, hosts, is_on, thread_state

_READ_SERVER = Statement(
    "SELECT @@version AS version, @@global.server_id AS server_id, @@global.read_only AS read_only,"
    " @@log_bin AS log_bin, @@log_slave_updates AS log_slave_updates,"
    " @@global.gtid_binlog_state AS binlog_state, @@global.gtid_slave_pos AS slave_pos,"
    " (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME') AS uptime,"
    " (SELECT COUNT(*) FROM information_schema.SCHEMATA"
    f" WHERE SCHEMA_NAME NOT IN ({SYSTEM_SCHEMAS})) AS user_schemas,"
    " (SELECT GROUP_CONCAT(HOST) FROM information_schema.PROCESSLIST"
    " WHERE COMMAND LIKE 'Binlog Dump%%') AS replicas"
)
_READ_LINK = Statement("SHOW SLAVE STATUS")
_READ_IDENTITY = Statement(
    "SELECT @@global.server_id AS server_id, @@log_bin AS log_bin, @@log_slave_updates AS log_slave_updates,"
    " @@global.gtid_binlog_state AS binlog_state, @@global.gtid_slave_pos AS slave_pos"
)
_FOLLOW = (
    "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s, MASTER_PASSWORD=%s,"
    " MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=5, "
)
_WITH_TLS = "MASTER_SSL=1, MASTER_SSL_CA=%s, MASTER_SSL_VERIFY_SERVER_CERT=1"
_WITHOUT_TLS = "MASTER_SSL=0, MASTER_SSL_CA='', MASTER_SSL_VERIFY_SERVER_CERT=0"

_PRIVILEGES = {
    # MariaDB has split what MySQL calls REPLICATION CLIENT.
    "REPLICATION CLIENT": frozenset({"BINLOG MONITOR", "SLAVE MONITOR"}),
    "REPLICA MONITOR": frozenset({"SLAVE MONITOR"}),
    "REPLICATION REPLICA": frozenset({"REPLICATION SLAVE"}),
}


class MariaDB(Dialect):
    """The dialect of MariaDB."""

    engine = Engine.MARIADB
    longest_source_password = 96

    def read_status(self, session: Session) -> ServerStatus:
        row = session.query(_READ_SERVER)[0]
        link_rows = session.query(_READ_LINK)
        return ServerStatus(
            engine=self.engine,
            version=row["version"],
            server_id=int(row["server_id"]),
            server_uuid=None,
            read_only=is_on(row["read_only"]),
            super_read_only=None,
            log_bin=is_on(row["log_bin"]),
            gtid_enabled=is_on(row["log_slave_updates"]),
            executed=_executed(row),
            link=_link(link_rows[0]) if link_rows else None,
            connected_replicas=hosts(row["replicas"]),
            has_user_schemas=int(row["user_schemas"]) > 0,
            uptime_seconds=int(row["uptime"]),
        )

    def read_identity(self, session: Session) -> SourceIdentity:
        row = session.query(_READ_IDENTITY)[0]
        return SourceIdentity(
            engine=self.engine.value,
            server_id=int(row["server_id"]),
            server_uuid=None,
            log_bin=is_on(row["log_bin"]),
            gtid_enabled=is_on(row["log_slave_updates"]),
            executed=_executed(row),
        )

    def stored_password_differs(self, session: Session, password: str) -> bool:  # noqa: ARG002 (the engine hides it)
        return False

    def statements(self, action: Action, source: SourceSettings | None) -> tuple[Statement, ...]:
        if action is Action.FOLLOW and source is not None:
            return (_follow(source),)
        return tuple(Statement(sql) for sql in _STATEMENTS[action])

    def authentication(self, password: str) -> tuple[str, tuple[str, ...]]:
        # As a hash: the statement reaches the binary log as it is written.
        return "IDENTIFIED VIA mysql_native_password USING %s", (native_hash(password),)

    def password_matches(self, plugin: str, stored: bytes, password: str) -> bool:
        return plugin == "mysql_native_password" and native_matches(stored, password)

    def privileges(self, name: str) -> frozenset[str]:
        return _PRIVILEGES.get(name, frozenset({name}))


_STATEMENTS: t.Final = {
    Action.CLOSE_WRITES: ("SET GLOBAL read_only = 1",),
    Action.OPEN_WRITES: ("SET GLOBAL read_only = 0",),
    Action.STOP_THREADS: ("STOP SLAVE",),
    Action.CLEAR_HISTORY: ("RESET MASTER", "SET GLOBAL gtid_slave_pos = ''"),
    Action.START_THREADS: ("START SLAVE",),
}


def _executed(row: Row) -> MariaDBGtids:
    """Join what the server logged with where its source left off: a seeded server has logged nothing yet."""
    return MariaDBGtids.parse(row["binlog_state"]).union(MariaDBGtids.parse(row["slave_pos"]))


def _link(row: Row) -> Link:
    io_thread = thread_state(row["Slave_IO_Running"])
    lag = row["Seconds_Behind_Master"]
    return Link(
        host=row["Master_Host"],
        port=int(row["Master_Port"]),
        user=row["Master_User"],
        tls=is_on(row["Master_SSL_Allowed"]),
        tls_verified=is_on(row["Master_SSL_Verify_Server_Cert"]),
        ca_file=row["Master_SSL_CA_File"] or None,
        auto_position=row["Using_Gtid"] == "Slave_Pos",
        server_id=int(row["Master_Server_Id"]) or None,
        server_uuid=None,
        established=bool(row["Master_Log_File"]),
        io_thread=io_thread,
        sql_thread=thread_state(row["Slave_SQL_Running"]),
        io_error=engine_error(row, "Last_IO"),
        sql_error=engine_error(row, "Last_SQL"),
        lag_seconds=int(lag) if lag is not None and io_thread is ThreadState.RUNNING else None,
        received=MariaDBGtids.parse(row["Gtid_IO_Pos"] or ""),
    )


def _follow(source: SourceSettings) -> Statement:
    parameters: tuple[t.Any, ...] = (source.host, source.port, source.user, source.password)
    if source.ca_file is None:
        return Statement(_FOLLOW + _WITHOUT_TLS, parameters, secret=True)
    return Statement(_FOLLOW + _WITH_TLS, (*parameters, source.ca_file), secret=True)


__all__ = ("MariaDB",)
