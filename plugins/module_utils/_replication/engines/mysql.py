# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MySQL's words, from 9.0 on."""

from __future__ import annotations

import dataclasses
import typing as t

from ..errors import StatementFailedError
from ..gtid import MySQLGtids
from ..passwords import caching_sha2_matches
from ..plan import Action, SourceIdentity, SourceSettings
from ..session import Row, Session, Statement
from ..status import Engine, EngineError, Link, ServerStatus, ThreadState
from .base import SYSTEM_SCHEMAS, Dialect, engine_error, hosts, is_on, thread_state

_READ_SERVER = Statement(
    "SELECT @@version AS version, @@global.server_id AS server_id, @@server_uuid AS server_uuid,"
    " @@global.read_only AS read_only, @@global.super_read_only AS super_read_only, @@log_bin AS log_bin,"
    " @@log_replica_updates AS log_replica_updates, @@global.gtid_mode AS gtid_mode,"
    " @@global.gtid_executed AS executed,"
    " (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime') AS uptime,"
    " (SELECT COUNT(*) FROM information_schema.SCHEMATA"
    f" WHERE SCHEMA_NAME NOT IN ({SYSTEM_SCHEMAS})) AS user_schemas,"
    " (SELECT GROUP_CONCAT(HOST) FROM performance_schema.processlist"
    " WHERE COMMAND LIKE 'Binlog Dump%%') AS replicas"
)
_READ_LINK = Statement("SHOW REPLICA STATUS")
_READ_WORKER_ERROR = Statement(
    "SELECT LAST_ERROR_NUMBER AS Worker_Errno, LAST_ERROR_MESSAGE AS Worker_Error"
    " FROM performance_schema.replication_applier_status_by_worker"
    " WHERE CHANNEL_NAME = '' AND LAST_ERROR_NUMBER <> 0 ORDER BY LAST_ERROR_TIMESTAMP LIMIT 1"
)
_READ_IDENTITY = Statement(
    "SELECT @@global.server_id AS server_id, @@server_uuid AS server_uuid, @@log_bin AS log_bin,"
    " @@log_replica_updates AS log_replica_updates, @@global.gtid_mode AS gtid_mode,"
    " @@global.gtid_executed AS executed"
)
_FOLLOW = (
    # The default number of attempts is 10: a replica would give up for good after a few minutes.
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST=%s, SOURCE_PORT=%s, SOURCE_USER=%s, SOURCE_PASSWORD=%s,"
    " SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=5, SOURCE_RETRY_COUNT=0, "
)
_WITH_TLS = "SOURCE_SSL=1, SOURCE_SSL_CA=%s, SOURCE_SSL_VERIFY_SERVER_CERT=1, GET_SOURCE_PUBLIC_KEY=0"
_WITHOUT_TLS = "SOURCE_SSL=0, SOURCE_SSL_CA='', SOURCE_SSL_VERIFY_SERVER_CERT=0, GET_SOURCE_PUBLIC_KEY=1"

_PRIVILEGES = {
    "REPLICA MONITOR": frozenset({"REPLICATION CLIENT"}),
    "SLAVE MONITOR": frozenset({"REPLICATION CLIENT"}),
    "BINLOG MONITOR": frozenset({"REPLICATION CLIENT"}),
    "REPLICATION REPLICA": frozenset({"REPLICATION SLAVE"}),
}

_TABLE_ACCESS_DENIED = 1142


class MySQL(Dialect):
    """The dialect of MySQL."""

    engine = Engine.MYSQL
    longest_source_password = 32

    def read_status(self, session: Session) -> ServerStatus:
        row = session.query(_READ_SERVER)[0]
        link_rows = [link for link in session.query(_READ_LINK) if not link["Channel_Name"]]
        link = _link(link_rows[0]) if link_rows else None
        if link is not None and link.sql_error is not None:
            link = dataclasses.replace(link, sql_error=_worker_error(session) or link.sql_error)
        return ServerStatus(
            engine=self.engine,
            version=row["version"],
            server_id=int(row["server_id"]),
            server_uuid=row["server_uuid"],
            read_only=is_on(row["read_only"]),
            super_read_only=is_on(row["super_read_only"]),
            log_bin=is_on(row["log_bin"]),
            gtid_enabled=_gtid_enabled(row),
            executed=MySQLGtids.parse(row["executed"]),
            link=link,
            connected_replicas=hosts(row["replicas"]),
            has_user_schemas=int(row["user_schemas"]) > 0,
            uptime_seconds=int(row["uptime"]),
        )

    def read_identity(self, session: Session) -> SourceIdentity:
        row = session.query(_READ_IDENTITY)[0]
        return SourceIdentity(
            engine=self.engine.value,
            server_id=int(row["server_id"]),
            server_uuid=row["server_uuid"],
            log_bin=is_on(row["log_bin"]),
            gtid_enabled=_gtid_enabled(row),
            executed=MySQLGtids.parse(row["executed"]),
        )

    def stored_password_differs(self, session: Session, password: str) -> bool:
        statement = "SELECT BINARY User_password <> BINARY %s AS differs FROM mysql.slave_master_info"
        rows = session.query(Statement(statement + " WHERE Channel_name = ''", (password,), secret=True))
        return bool(rows) and bool(rows[0]["differs"])

    def statements(self, action: Action, source: SourceSettings | None) -> tuple[Statement, ...]:
        if action is Action.FOLLOW and source is not None:
            return (_follow(source),)
        return tuple(Statement(sql) for sql in _STATEMENTS[action])

    def authentication(self, password: str) -> tuple[str, tuple[str, ...]]:
        return "IDENTIFIED WITH caching_sha2_password BY %s", (password,)

    def password_matches(self, plugin: str, stored: bytes, password: str) -> bool:
        return plugin == "caching_sha2_password" and caching_sha2_matches(stored, password)

    def privileges(self, name: str) -> frozenset[str]:
        return _PRIVILEGES.get(name, frozenset({name}))


_STATEMENTS: t.Final = {
    Action.CLOSE_WRITES: ("SET GLOBAL super_read_only = ON",),
    Action.OPEN_WRITES: ("SET GLOBAL read_only = OFF",),  # switches super_read_only off as well
    Action.STOP_THREADS: ("STOP REPLICA",),
    Action.CLEAR_HISTORY: ("RESET BINARY LOGS AND GTIDS",),
    Action.START_THREADS: ("START REPLICA",),
}


def _gtid_enabled(row: Row) -> bool:
    return str(row["gtid_mode"]).upper() == "ON" and is_on(row["log_replica_updates"])


def _link(row: Row) -> Link:
    io_thread = thread_state(row["Replica_IO_Running"])
    lag = row["Seconds_Behind_Source"]  # says 0 while the IO thread is still connecting
    return Link(
        host=row["Source_Host"],
        port=int(row["Source_Port"]),
        user=row["Source_User"],
        tls=is_on(row["Source_SSL_Allowed"]),
        tls_verified=is_on(row["Source_SSL_Verify_Server_Cert"]),
        ca_file=row["Source_SSL_CA_File"] or None,
        auto_position=is_on(row["Auto_Position"]),
        server_id=int(row["Source_Server_Id"]) or None,
        server_uuid=row["Source_UUID"] or None,
        established=bool(row["Source_Log_File"]),
        io_thread=io_thread,
        sql_thread=thread_state(row["Replica_SQL_Running"]),
        io_error=engine_error(row, "Last_IO"),
        sql_error=engine_error(row, "Last_SQL"),
        lag_seconds=int(lag) if lag is not None and io_thread is ThreadState.RUNNING else None,
        received=MySQLGtids.parse(row["Retrieved_Gtid_Set"] or ""),
    )


def _worker_error(session: Session) -> EngineError | None:
    """Ask the workers what happened: with several of them the status only says that one has failed."""
    try:
        rows = session.query(_READ_WORKER_ERROR)
    except StatementFailedError as exc:
        if exc.code == _TABLE_ACCESS_DENIED:
            return None  # the status itself still says that there is an error
        raise
    return engine_error(rows[0], "Worker") if rows else None


def _follow(source: SourceSettings) -> Statement:
    parameters: tuple[t.Any, ...] = (source.host, source.port, source.user, source.password)
    if source.ca_file is None:
        return Statement(_FOLLOW + _WITHOUT_TLS, parameters, secret=True)
    return Statement(_FOLLOW + _WITH_TLS, (*parameters, source.ca_file), secret=True)


__all__ = ("MySQL",)
