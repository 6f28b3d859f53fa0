# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""How a MySQL server is asked what it is."""

from __future__ import annotations

import dataclasses
import json
import re

from ..errors import StatementFailedError
from ..gtid import MySQLGtids
from ..session import Row, Session, Statement
from ..status import Engine, EngineError, Link, SemiSync, ServerStatus, ThreadState
from ..steps import SourceIdentity
from .base import SYSTEM_SCHEMAS, engine_error, hosts, is_on, thread_state
from .reading import CLOCK, HEARTBEAT_VISIBLE, Beats, read_beats, unread_link, waits_for_disk

_READ_SERVER = (
    "SELECT @@version AS version, @@global.server_id AS server_id, @@server_uuid AS server_uuid,"
    " @@global.read_only AS read_only, @@global.super_read_only AS super_read_only, @@log_bin AS log_bin,"
    " @@log_replica_updates AS log_replica_updates, @@global.gtid_mode AS gtid_mode,"
    " @@global.gtid_executed AS executed, @@global.gtid_purged AS purged,"
    " @@global.replica_parallel_workers AS applier_threads,"
    " @@global.replica_preserve_commit_order AS commit_order_kept,"
    " @@global.binlog_expire_logs_seconds * @@global.binlog_expire_logs_auto_purge AS binlog_retention,"
    " @@global.event_scheduler AS event_scheduler,"
    " (SELECT JSON_OBJECTAGG(VARIABLE_NAME, VARIABLE_VALUE) FROM performance_schema.global_variables"
    " WHERE VARIABLE_NAME LIKE 'rpl\\_semi\\_sync\\_%%') AS semi_sync,"
    " (SELECT JSON_OBJECTAGG(LOWER(VARIABLE_NAME), VARIABLE_VALUE) FROM performance_schema.global_status"
    " WHERE VARIABLE_NAME IN ('Uptime', 'Rpl_semi_sync_source_status', 'Rpl_semi_sync_source_clients',"
    " 'Rpl_semi_sync_replica_status')) AS counters,"
    " (SELECT COUNT(*) FROM information_schema.SCHEMATA"
    f" WHERE SCHEMA_NAME NOT IN ({SYSTEM_SCHEMAS})) AS user_schemas,"
    " (SELECT GROUP_CONCAT(HOST) FROM performance_schema.processlist"
    f" WHERE COMMAND LIKE 'Binlog Dump%%') AS replicas, {CLOCK}, {HEARTBEAT_VISIBLE}"
)
_READ_LINK = Statement("SHOW REPLICA STATUS", may_hang=True)
_READ_WORKER_ERROR = Statement(
    "SELECT LAST_ERROR_NUMBER AS Worker_Errno, LAST_ERROR_MESSAGE AS Worker_Error"
    " FROM performance_schema.replication_applier_status_by_worker"
    " WHERE CHANNEL_NAME = '' AND LAST_ERROR_NUMBER <> 0 ORDER BY LAST_ERROR_TIMESTAMP LIMIT 1"
)
_READ_THREADS = Statement(
    "SELECT NAME AS thread, PROCESSLIST_STATE AS state FROM performance_schema.threads"
    " WHERE NAME LIKE 'thread/sql/replica\\_%%'"
)
_READ_IDENTITY = Statement(
    "SELECT @@global.server_id AS server_id, @@server_uuid AS server_uuid, @@log_bin AS log_bin,"
    " @@log_replica_updates AS log_replica_updates, @@global.gtid_mode AS gtid_mode,"
    " @@global.gtid_owned AS owned, @@global.gtid_executed AS executed"
)
_TABLE_ACCESS_DENIED = 1142


def read_status(session: Session, heartbeat_schema: str) -> ServerStatus:
    """Ask everything."""
    row = _read_server(session, heartbeat_schema)
    link_rows = [link for link in session.query(_READ_LINK) if not link["Channel_Name"]]
    link = _link(link_rows[0]) if link_rows else None
    if link is not None and link.sql_error is not None:
        link = dataclasses.replace(link, sql_error=_worker_error(session) or link.sql_error)
    return _status(row, link=link, beats=read_beats(session, heartbeat_schema, row))


def read_what_answers(session: Session, unread: str) -> ServerStatus:
    """Ask only what does not hang with the status of the link."""
    row = _read_server(session, "")
    threads = session.query(_READ_THREADS)
    link = unread_link(row, threads, MySQLGtids(), io_thread="thread/sql/replica_io", applier="thread/sql/replica_sql")
    return _status(row, link=link, beats=Beats(int(row["server_id"])), unread=unread)


def read_identity(session: Session) -> SourceIdentity:
    """Ask what a replication account may know."""
    row = session.query(_READ_IDENTITY)[0]
    return SourceIdentity(
        engine=Engine.MYSQL.value,
        server_id=int(row["server_id"]),
        server_uuid=row["server_uuid"],
        log_bin=is_on(row["log_bin"]),
        gtid_enabled=_gtid_enabled(row),
        executed=MySQLGtids.parse(row["executed"]).union(_owned(row["owned"])),
    )


def _owned(text: str) -> MySQLGtids:
    """Read what commits are at: one that waits for its acknowledgement may be on a replica before it counts here."""
    return MySQLGtids.parse(re.sub(r"#\d+", "", text))


def _read_server(session: Session, heartbeat_schema: str) -> Row:
    row = session.query(Statement(_READ_SERVER, (heartbeat_schema,)))[0]
    return {**row, **json.loads(row["counters"])}


def _status(row: Row, *, link: Link | None, beats: Beats, unread: str | None = None) -> ServerStatus:
    return ServerStatus(
        engine=Engine.MYSQL,
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
        semi_sync=_semi_sync(row),
        applier_threads=int(row["applier_threads"]),
        commit_order_kept=is_on(row["commit_order_kept"]),
        binlog_retention_seconds=int(row["binlog_retention"]),
        purged=MySQLGtids.parse(row["purged"]),
        heartbeat_age_seconds=beats.age(link),
        beat_of_another=beats.of_another,
        clock=int(row["clock"]) / 1_000_000,
        event_scheduler=is_on(row["event_scheduler"]),
        unread=unread,
    )


def _gtid_enabled(row: Row) -> bool:
    return str(row["gtid_mode"]).upper() == "ON" and is_on(row["log_replica_updates"])


def _semi_sync(row: Row) -> SemiSync | None:
    """Read both plugins; one that is not loaded is off."""
    if row["semi_sync"] is None:
        return None
    settings = json.loads(row["semi_sync"])
    return SemiSync(
        source_enabled=is_on(settings.get("rpl_semi_sync_source_enabled", "OFF")),
        source_active=is_on(row.get("rpl_semi_sync_source_status", "OFF")),
        replica_enabled=is_on(settings.get("rpl_semi_sync_replica_enabled", "OFF")),
        replica_active=is_on(row.get("rpl_semi_sync_replica_status", "OFF")),
        wait_after_sync=settings.get("rpl_semi_sync_source_wait_point", "AFTER_SYNC") == "AFTER_SYNC",
        timeout_seconds=int(settings.get("rpl_semi_sync_source_timeout", 0)) / 1000,
        acknowledging_replicas=int(row.get("rpl_semi_sync_source_clients", 0)),
        waits_without_replica=is_on(settings.get("rpl_semi_sync_source_wait_no_replica", "OFF")),
        wait_for_replicas=int(settings.get("rpl_semi_sync_source_wait_for_replica_count", 1)),
    )


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
        waits_for_disk=waits_for_disk(row["Replica_IO_State"], row["Replica_SQL_Running_State"]),
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


__all__ = ("read_identity", "read_status", "read_what_answers")
