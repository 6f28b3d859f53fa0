# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MySQL's words, from 9.0 on."""

from __future__ import annotations

import typing as t

from ..passwords import caching_sha2_matches
from ..session import Session, Statement
from ..status import Engine, ServerStatus
from ..steps import Action, SourceIdentity, SourceSettings
from .base import HEARTBEAT_SCHEMA, Dialect
from .mysql_logs import LOGS
from .mysql_moves import MOVES
from .mysql_status import read_identity, read_status, read_what_answers

_FOLLOW = (
    # The default number of attempts is 10: a replica would give up for good after a few minutes.
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST=%s, SOURCE_PORT=%s, SOURCE_USER=%s, SOURCE_PASSWORD=%s,"
    " SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=0, SOURCE_HEARTBEAT_PERIOD=0.5, "
)
_WITH_TLS = "SOURCE_SSL=1, SOURCE_SSL_CA=%s, SOURCE_SSL_VERIFY_SERVER_CERT=1, GET_SOURCE_PUBLIC_KEY=0"
_WITHOUT_TLS = "SOURCE_SSL=0, SOURCE_SSL_CA='', SOURCE_SSL_VERIFY_SERVER_CERT=0, GET_SOURCE_PUBLIC_KEY=1"

_PRIVILEGES = {
    "REPLICA MONITOR": frozenset({"REPLICATION CLIENT"}),
    "SLAVE MONITOR": frozenset({"REPLICATION CLIENT"}),
    "BINLOG MONITOR": frozenset({"REPLICATION CLIENT"}),
    "REPLICATION REPLICA": frozenset({"REPLICATION SLAVE"}),
}

# The engine says of no variable that only a start sets it; of others than these it says so when it is told to.
_STATIC = frozenset(
    {
        *("bind_address", "port", "report_host", "report_port", "skip_name_resolve", "skip_networking", "socket"),
        *("datadir", "tmpdir", "lower_case_table_names", "performance_schema", "open_files_limit", "back_log"),
        *("log_bin", "log_replica_updates", "relay_log", "relay_log_recovery", "replica_load_tmpdir"),
        *("innodb_buffer_pool_chunk_size", "innodb_buffer_pool_instances", "innodb_flush_method"),
        *("innodb_data_file_path", "innodb_log_group_home_dir", "innodb_page_size", "innodb_dedicated_server"),
    }
)


class MySQL(Dialect):
    """The dialect of MySQL."""

    engine = Engine.MYSQL
    moves = MOVES
    logs = LOGS
    longest_source_password = 32
    semi_sync_words = ("source", "replica")
    figures_of_server = ("performance_schema.global_status", "performance_schema.global_variables")
    read_position = "SELECT @@global.gtid_executed AS position"
    wait_for_position = "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s) AS late"
    hold_rows = " FOR SHARE"
    login_plugin = "caching_sha2_password"
    read_settings = (
        "SELECT VARIABLE_NAME AS name, VARIABLE_VALUE AS value, '' AS static"
        " FROM performance_schema.global_variables WHERE VARIABLE_NAME IN ({marks})"
        " UNION ALL SELECT VARIABLE_NAME, VARIABLE_VALUE, 'YES'"
        " FROM performance_schema.global_status WHERE VARIABLE_NAME IN ({marks})"
    )
    static_settings = _STATIC
    settings_at_rest = frozenset({"replica_parallel_workers", "replica_preserve_commit_order", "replica_net_timeout"})
    sessions_of = "SELECT ID AS id FROM performance_schema.processlist WHERE USER = %s AND HOST LIKE %s"
    load_certificate = "ALTER INSTANCE RELOAD TLS"
    read_accounts = (
        "SELECT User AS name, Host AS host, plugin AS plugin, HEX(authentication_string) AS stored_hash,"
        " ssl_type AS ssl_type,"
        " JSON_CONTAINS_PATH(COALESCE(User_attributes, JSON_OBJECT()), 'one', '$.additional_password') AS retained"
        " FROM mysql.user WHERE User IN ({marks})"
    )

    def read_status(self, session: Session, heartbeat_schema: str = HEARTBEAT_SCHEMA) -> ServerStatus:
        return read_status(session, heartbeat_schema)

    def read_what_answers(self, session: Session, unread: str) -> ServerStatus:
        return read_what_answers(session, unread)

    def read_identity(self, session: Session) -> SourceIdentity:
        return read_identity(session)

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

    def rotation(self, password: str, stored: bytes) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002 (the server has it)
        clause, parameters = self.authentication(password)
        return f"{clause} RETAIN CURRENT PASSWORD", parameters

    def discarding(self, password: str) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002 (the server has it)
        return "DISCARD OLD PASSWORD", ()

    def password_matches(self, plugin: str, stored: bytes, password: str) -> bool:
        return plugin == self.login_plugin and caching_sha2_matches(stored, password)

    def privileges(self, name: str) -> frozenset[str]:
        return _PRIVILEGES.get(name, frozenset({name}))


_STATEMENTS: t.Final = {
    Action.CLOSE_WRITES: ("SET GLOBAL super_read_only = ON",),
    Action.OPEN_WRITES: ("SET GLOBAL read_only = OFF",),  # switches super_read_only off as well
    Action.STOP_THREADS: ("STOP REPLICA",),
    Action.CLEAR_HISTORY: ("RESET BINARY LOGS AND GTIDS",),
    Action.START_THREADS: ("START REPLICA",),
    Action.LOAD_SEMI_SYNC: (
        "SET GLOBAL super_read_only = OFF",  # which forbids it; read_only, which clients feel, stays as it is
        "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
        "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'",
    ),
    Action.RECONNECT: ("STOP REPLICA IO_THREAD", "START REPLICA IO_THREAD"),
}


def _follow(source: SourceSettings) -> Statement:
    parameters: tuple[t.Any, ...] = (source.host, source.port, source.user, source.password)
    if source.ca_file is None:
        return Statement(_FOLLOW + _WITHOUT_TLS, parameters, secret=True)
    return Statement(_FOLLOW + _WITH_TLS, (*parameters, source.ca_file), secret=True)


__all__ = ("MySQL",)
