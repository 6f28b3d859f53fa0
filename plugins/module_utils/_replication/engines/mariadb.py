# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MariaDB's words, from 10.11 on."""

from __future__ import annotations

import typing as t

from ..passwords import native_hash, native_matches
from ..session import Session, Statement
from ..status import Engine, ServerStatus
from ..steps import Action, SourceIdentity, SourceSettings
from .base import HEARTBEAT_SCHEMA, Dialect
from .mariadb_logs import LOGS
from .mariadb_moves import MOVES
from .mariadb_status import read_identity, read_status, read_what_answers

_FOLLOW = (
    "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=%s, MASTER_USER=%s, MASTER_PASSWORD=%s,"
    # It begins after what it has written itself: a former primary is told so with the same statement, or one that was
    # killed in between would fetch its own transactions again.
    " MASTER_USE_GTID=slave_pos, MASTER_DEMOTE_TO_SLAVE=1, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=0.5, "
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
    moves = MOVES
    logs = LOGS
    longest_source_password = 96
    semi_sync_words = ("master", "slave")
    figures_of_server = ("information_schema.GLOBAL_STATUS", "information_schema.GLOBAL_VARIABLES")
    read_position = "SELECT @@global.gtid_current_pos AS position"
    wait_for_position = "SELECT MASTER_GTID_WAIT(%s, %s) AS late"
    hold_rows = " LOCK IN SHARE MODE"
    login_plugin = "mysql_native_password"
    read_settings = (
        "SELECT VARIABLE_NAME AS name, GLOBAL_VALUE AS value, READ_ONLY AS static"
        " FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN ({marks})"
        " UNION ALL SELECT VARIABLE_NAME, VARIABLE_VALUE, 'YES'"
        " FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ({marks})"
    )
    static_settings = frozenset[str]()
    settings_at_rest = frozenset({"slave_parallel_threads", "slave_parallel_mode", "slave_net_timeout"})
    sessions_of = "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = %s AND HOST LIKE %s"
    load_certificate = "FLUSH LOCAL SSL"
    read_accounts = (
        "SELECT account.User AS name, account.Host AS host, account.plugin AS plugin,"
        " HEX(account.authentication_string) AS stored_hash, account.ssl_type AS ssl_type,"
        " COALESCE(JSON_LENGTH(JSON_EXTRACT(methods.Priv, '$.auth_or')), 0) > 1 AS retained"
        " FROM mysql.user AS account JOIN mysql.global_priv AS methods USING (User, Host)"
        " WHERE account.User IN ({marks})"
    )

    def read_status(self, session: Session, heartbeat_schema: str = HEARTBEAT_SCHEMA) -> ServerStatus:
        return read_status(session, heartbeat_schema)

    def read_what_answers(self, session: Session, unread: str) -> ServerStatus:
        return read_what_answers(session, unread)

    def read_identity(self, session: Session) -> SourceIdentity:
        return read_identity(session)

    def stored_password_differs(self, session: Session, password: str) -> bool | None:  # noqa: ARG002 (see below)
        return None  # the engine hides it

    def statements(self, action: Action, source: SourceSettings | None) -> tuple[Statement, ...]:
        if action is Action.FOLLOW and source is not None:
            return (_follow(source),)
        return tuple(Statement(sql) for sql in _STATEMENTS[action])

    def authentication(self, password: str) -> tuple[str, tuple[str, ...]]:
        # As a hash: the statement reaches the binary log as it is written.
        return "IDENTIFIED VIA mysql_native_password USING %s", (native_hash(password),)

    def rotation(self, password: str, stored: bytes) -> tuple[str, tuple[str, ...]]:
        clause, parameters = self.authentication(password)
        return f"{clause} OR mysql_native_password USING %s", (*parameters, stored.decode())

    def discarding(self, password: str) -> tuple[str, tuple[str, ...]]:
        return self.authentication(password)

    def password_matches(self, plugin: str, stored: bytes, password: str) -> bool:
        return plugin == self.login_plugin and native_matches(stored, password)

    def privileges(self, name: str) -> frozenset[str]:
        return _PRIVILEGES.get(name, frozenset({name}))


_STATEMENTS: t.Final = {
    Action.CLOSE_WRITES: ("SET GLOBAL read_only = 1",),
    Action.OPEN_WRITES: ("SET GLOBAL read_only = 0",),
    Action.STOP_THREADS: ("STOP SLAVE",),
    Action.CLEAR_HISTORY: ("RESET MASTER", "SET GLOBAL gtid_slave_pos = ''"),
    Action.START_THREADS: ("START SLAVE",),
    Action.LOAD_SEMI_SYNC: (),  # built in
    Action.RECONNECT: ("STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD"),
}


def _follow(source: SourceSettings) -> Statement:
    parameters: tuple[t.Any, ...] = (source.host, source.port, source.user, source.password)
    if source.ca_file is None:
        return Statement(_FOLLOW + _WITHOUT_TLS, parameters, secret=True)
    return Statement(_FOLLOW + _WITH_TLS, (*parameters, source.ca_file), secret=True)


__all__ = ("MariaDB",)
