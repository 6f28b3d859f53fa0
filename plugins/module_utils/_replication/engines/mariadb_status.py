# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""How a MariaDB server is asked what it is."""

from __future__ import annotations

import json

from ..gtid import MariaDBGtids
from ..session import Row, Session, Statement
from ..status import Engine, Link, SemiSync, ServerStatus, ThreadState
from ..steps import SourceIdentity
from .base import SYSTEM_SCHEMAS, engine_error, hosts, is_on, thread_state
from .reading import CLOCK, HEARTBEAT_VISIBLE, Beats, read_beats, unread_link, waits_for_disk

_READ_SERVER = (
    "SELECT @@version AS version, @@global.server_id AS server_id, @@global.read_only AS read_only,"
    " @@log_bin AS log_bin, @@log_slave_updates AS log_slave_updates,"
    " @@global.gtid_binlog_state AS binlog_state, @@global.gtid_slave_pos AS slave_pos,"
    " @@global.slave_parallel_threads AS applier_threads, @@global.binlog_expire_logs_seconds AS binlog_retention,"
    " @@global.event_scheduler AS event_scheduler,"
    " @@global.rpl_semi_sync_master_enabled AS source_enabled,"
    " @@global.rpl_semi_sync_master_wait_point AS wait_point,"
    " @@global.rpl_semi_sync_master_timeout AS wait_milliseconds,"
    " @@global.rpl_semi_sync_master_wait_no_slave AS wait_no_replica,"
    " @@global.rpl_semi_sync_slave_enabled AS replica_enabled,"
    " (SELECT JSON_OBJECTAGG(LOWER(VARIABLE_NAME), VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS"
    " WHERE VARIABLE_NAME IN ('UPTIME', 'RPL_SEMI_SYNC_MASTER_STATUS', 'RPL_SEMI_SYNC_MASTER_CLIENTS',"
    " 'RPL_SEMI_SYNC_SLAVE_STATUS')) AS counters,"
    " (SELECT COUNT(*) FROM information_schema.SCHEMATA"
    f" WHERE SCHEMA_NAME NOT IN ({SYSTEM_SCHEMAS})) AS user_schemas,"
    " (SELECT GROUP_CONCAT(HOST) FROM information_schema.PROCESSLIST"
    f" WHERE COMMAND LIKE 'Binlog Dump%%') AS replicas, {CLOCK}, {HEARTBEAT_VISIBLE}"
)
_READ_PURGED = Statement("SHOW BINLOG EVENTS LIMIT 2", may_hang=True)
"""The oldest log begins with the list of everything that came before it."""
_READ_LINK = Statement("SHOW SLAVE STATUS", may_hang=True)
_READ_THREADS = Statement(
    "SELECT COMMAND AS thread, STATE AS state FROM information_schema.PROCESSLIST"
    " WHERE COMMAND IN ('Slave_IO', 'Slave_SQL', 'Slave_worker')"
)
_READ_IDENTITY = Statement(
    "SELECT @@global.server_id AS server_id, @@log_bin AS log_bin, @@log_slave_updates AS log_slave_updates,"
    " @@global.gtid_binlog_state AS binlog_state, @@global.gtid_slave_pos AS slave_pos"
)


def read_status(session: Session, heartbeat_schema: str) -> ServerStatus:
    """Ask everything."""
    row = _read_server(session, heartbeat_schema)
    purged = _purged(session.query(_READ_PURGED)) if is_on(row["log_bin"]) else MariaDBGtids()
    link_rows = session.query(_READ_LINK)
    link = _link(link_rows[0]) if link_rows else None
    beats = read_beats(session, heartbeat_schema, row)
    return _status(row, link=link, purged=purged, beats=beats)


def read_what_answers(session: Session, unread: str) -> ServerStatus:
    """Ask only what does not hang on a full disk."""
    row = _read_server(session, "")
    threads = session.query(_READ_THREADS)
    link = unread_link(row, threads, MariaDBGtids(), io_thread="Slave_IO", applier="Slave_SQL")
    return _status(row, link=link, purged=MariaDBGtids(), beats=Beats(int(row["server_id"])), unread=unread)


def read_identity(session: Session) -> SourceIdentity:
    """Ask what a replication account may know."""
    row = session.query(_READ_IDENTITY)[0]
    return SourceIdentity(
        engine=Engine.MARIADB.value,
        server_id=int(row["server_id"]),
        server_uuid=None,
        log_bin=is_on(row["log_bin"]),
        gtid_enabled=is_on(row["log_slave_updates"]),
        executed=_executed(row),
    )


def _read_server(session: Session, heartbeat_schema: str) -> Row:
    row = session.query(Statement(_READ_SERVER, (heartbeat_schema,)))[0]
    return {**row, **json.loads(row["counters"])}


def _status(
    row: Row, *, link: Link | None, purged: MariaDBGtids, beats: Beats, unread: str | None = None
) -> ServerStatus:
    return ServerStatus(
        engine=Engine.MARIADB,
        version=row["version"],
        server_id=int(row["server_id"]),
        server_uuid=None,
        read_only=is_on(row["read_only"]),
        super_read_only=None,
        log_bin=is_on(row["log_bin"]),
        gtid_enabled=is_on(row["log_slave_updates"]),
        executed=_executed(row),
        link=link,
        connected_replicas=hosts(row["replicas"]),
        has_user_schemas=int(row["user_schemas"]) > 0,
        uptime_seconds=int(row["uptime"]),
        semi_sync=_semi_sync(row),
        applier_threads=int(row["applier_threads"]),
        commit_order_kept=True,  # always, within a domain
        binlog_retention_seconds=int(row["binlog_retention"]),
        purged=purged,
        heartbeat_age_seconds=beats.age(link),
        beat_of_another=beats.of_another,
        clock=int(row["clock"]) / 1_000_000,
        event_scheduler=is_on(row["event_scheduler"]),
        unread=unread,
    )


def _executed(row: Row) -> MariaDBGtids:
    """Join what the server logged with where its source left off: a seeded server has logged nothing yet."""
    return MariaDBGtids.parse(row["binlog_state"]).union(MariaDBGtids.parse(row["slave_pos"]))


def _purged(events: list[Row]) -> MariaDBGtids:
    lists = [str(event["Info"]).strip("[]") for event in events if event["Event_type"] == "Gtid_list"]
    return MariaDBGtids.parse(lists[0]) if lists else MariaDBGtids()


def _semi_sync(row: Row) -> SemiSync:
    return SemiSync(
        source_enabled=is_on(row["source_enabled"]),
        source_active=is_on(row["rpl_semi_sync_master_status"]),
        replica_enabled=is_on(row["replica_enabled"]),
        replica_active=is_on(row["rpl_semi_sync_slave_status"]),
        wait_after_sync=row["wait_point"] == "AFTER_SYNC",
        timeout_seconds=int(row["wait_milliseconds"]) / 1000,
        acknowledging_replicas=int(row["rpl_semi_sync_master_clients"]),
        waits_without_replica=is_on(row["wait_no_replica"]),
        wait_for_replicas=1,  # the engine knows no other number
    )


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
        waits_for_disk=waits_for_disk(row["Slave_IO_State"], row["Slave_SQL_Running_State"]),
    )


__all__ = ("read_identity", "read_status", "read_what_answers")
