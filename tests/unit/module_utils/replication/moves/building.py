# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers from a few words, for plans of moves."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import (
    Engine,
    EngineError,
    Link,
    SemiSync,
    ServerStatus,
    ThreadState,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology

_UUIDS = {1: "11111111-1111-1111-1111-111111111111", 9: "99999999-9999-9999-9999-999999999999"}
ENGINES = (Engine.MARIADB, Engine.MYSQL)


def history(engine: Engine, upto: int, origin: int = 1, since: int = 1) -> t.Any:
    if upto < since:
        return engine.parse_gtids("")
    text = f"0-{origin}-{upto}" if engine is Engine.MARIADB else f"{_UUIDS[origin]}:{since}-{upto}"
    return engine.parse_gtids(text)


def link(source: str, engine: Engine = Engine.MARIADB, received: int = 10, **changes: t.Any) -> Link:
    values: dict[str, t.Any] = {
        "host": source,
        "port": 3306,
        "user": "replication",
        "tls": True,
        "tls_verified": True,
        "ca_file": "/ca.pem",
        "auto_position": True,
        "server_id": None,
        "server_uuid": None,
        "established": True,
        "io_thread": ThreadState.RUNNING,
        "sql_thread": ThreadState.RUNNING,
        "io_error": None,
        "sql_error": None,
        "lag_seconds": 0,
        "received": history(engine, received),
    }
    return Link(**{**values, **changes})


def status(engine: Engine = Engine.MARIADB, executed: int = 10, **changes: t.Any) -> ServerStatus:
    values: dict[str, t.Any] = {
        "engine": engine,
        "version": "11.8.3",
        "server_id": 1,
        "server_uuid": None,
        "read_only": True,
        "super_read_only": None,
        "log_bin": True,
        "gtid_enabled": True,
        "executed": history(engine, executed),
        "link": None,
        "connected_replicas": (),
        "has_user_schemas": True,
        "uptime_seconds": 1000,
        "semi_sync": SemiSync(
            source_enabled=False,
            source_active=False,
            replica_enabled=True,
            replica_active=True,
            wait_after_sync=True,
            timeout_seconds=4_294_967,
            acknowledging_replicas=0,
            waits_without_replica=False,
            wait_for_replicas=1,
        ),
        "applier_threads": 4,
        "commit_order_kept": True,
        "binlog_retention_seconds": 0,
        "purged": history(engine, 0),
        "heartbeat_age_seconds": 0.5,
        "clock": 1_000_000.0,
        "event_scheduler": True,
    }
    return ServerStatus(**{**values, **changes})


def primary(engine: Engine = Engine.MARIADB, name: str = "db1", **changes: t.Any) -> Server:
    return Server(name=name, status=status(engine, **{"read_only": False, **changes}))


def replica(name: str, engine: Engine = Engine.MARIADB, source: str = "db1", **changes: t.Any) -> Server:
    """Return a replica; what concerns its link is named C(link_…)."""
    of_link = {key.removeprefix("link_"): changes.pop(key) for key in list(changes) if key.startswith("link_")}
    of_link.setdefault("received", changes.get("executed", 10))
    return Server(name=name, status=status(engine, **changes, link=link(source, engine, **of_link)))


def gone(name: str = "db1") -> Server:
    return Server(name=name, status=None, problem="it does not answer")


def trio(engine: Engine = Engine.MARIADB) -> Topology:
    return Topology((primary(engine), replica("db2", engine), replica("db3", engine)))


BROKEN = EngineError(code=1062, message="Duplicate entry")
SILENT: dict[str, t.Any] = {"link_io_thread": ThreadState.CONNECTING}
