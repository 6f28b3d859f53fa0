# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a database server says about itself, in one vocabulary for both engines."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from .gtid import Gtids, MariaDBGtids, MySQLGtids

if t.TYPE_CHECKING:
    import collections.abc as c


LOGIN_ERRORS = frozenset({1045, 1130, 1698, 1862, 3118, 3159, 4151})
"""The source's answers to a login that will not change by trying again."""


class Engine(enum.Enum):
    """The database servers that this collection knows."""

    MARIADB = "mariadb"
    MYSQL = "mysql"

    def parse_gtids(self, text: str) -> Gtids:
        """Read a GTID set as this engine writes it."""
        return MariaDBGtids.parse(text) if self is Engine.MARIADB else MySQLGtids.parse(text)


class Role(enum.Enum):
    """What a server is, from its own state alone."""

    PRIMARY = "primary"
    """Takes writes and follows nobody."""
    REPLICA = "replica"
    """Has a source configured, whether or not it works."""
    STANDALONE = "standalone"
    """Takes no writes and follows nobody."""


class ThreadState(enum.Enum):
    """The state of a replication thread."""

    RUNNING = "running"
    CONNECTING = "connecting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineError:
    """The last error of a replication thread, in the engine's own words."""

    code: int
    message: str

    def __str__(self) -> str:
        return f"{self.message} (error {self.code})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The connection of a replica to its source."""

    host: str
    port: int
    user: str
    tls: bool
    tls_verified: bool
    ca_file: str | None
    auto_position: bool
    server_id: int | None
    """Of the source, once it has been connected to."""
    server_uuid: str | None
    established: bool
    """Something has come over it since it was set up; unlike the source's identity this outlives a restart."""
    io_thread: ThreadState
    sql_thread: ThreadState
    io_error: EngineError | None
    sql_error: EngineError | None
    lag_seconds: int | None
    received: Gtids

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        return self.io_thread is ThreadState.RUNNING and self.sql_thread is ThreadState.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """Everything that decisions about a server are made from."""

    engine: Engine
    version: str
    server_id: int
    server_uuid: str | None
    read_only: bool
    super_read_only: bool | None
    """MySQL's stricter lock; null on MariaDB, which has none."""
    log_bin: bool
    gtid_enabled: bool
    executed: Gtids
    link: Link | None
    connected_replicas: tuple[str, ...]
    has_user_schemas: bool
    uptime_seconds: int

    @property
    def role(self) -> Role:
        if self.link is not None:
            return Role.REPLICA
        return Role.STANDALONE if self.read_only else Role.PRIMARY

    @property
    def pristine(self) -> bool:
        """Nothing would be lost, and nobody cut off, if this server started over."""
        return self.link is None and not self.has_user_schemas and not self.connected_replicas

    @property
    def writes_closed(self) -> bool:
        """Locked as far as the engine can be locked."""
        return self.read_only and self.super_read_only is not False

    def as_result(self) -> dict[str, t.Any]:
        """Return what M(webinfra.stack.replication_info) documents."""
        link = self.link
        return {
            "engine": self.engine.value,
            "version": self.version,
            "server_id": self.server_id,
            "server_uuid": self.server_uuid,
            "role": self.role.value,
            "read_only": self.read_only,
            "super_read_only": self.super_read_only,
            "log_bin": self.log_bin,
            "gtid_enabled": self.gtid_enabled,
            "gtid_executed": str(self.executed),
            "pristine": self.pristine,
            "has_user_schemas": self.has_user_schemas,
            "connected_replicas": list(self.connected_replicas),
            "uptime_seconds": self.uptime_seconds,
            "source": _source_result(link) if link else None,
            "io_thread": link.io_thread.value if link else None,
            "sql_thread": link.sql_thread.value if link else None,
            "last_io_error": _error_result(link.io_error) if link else None,
            "last_sql_error": _error_result(link.sql_error) if link else None,
            "lag_seconds": link.lag_seconds if link else None,
            "gtid_received": str(link.received) if link else None,
        }

    @classmethod
    def from_result(cls, result: c.Mapping[str, t.Any]) -> ServerStatus:
        """Read back what as_result() wrote: on the controller a status comes as another host's result."""
        engine = Engine(result["engine"])
        return cls(
            engine=engine,
            version=result["version"],
            server_id=result["server_id"],
            server_uuid=result["server_uuid"],
            read_only=result["read_only"],
            super_read_only=result["super_read_only"],
            log_bin=result["log_bin"],
            gtid_enabled=result["gtid_enabled"],
            executed=engine.parse_gtids(result["gtid_executed"]),
            link=_link_of(engine, result) if result["source"] is not None else None,
            connected_replicas=tuple(result["connected_replicas"]),
            has_user_schemas=result["has_user_schemas"],
            uptime_seconds=result["uptime_seconds"],
        )


def _source_result(link: Link) -> dict[str, t.Any]:
    return {
        "host": link.host,
        "port": link.port,
        "user": link.user,
        "tls": link.tls,
        "tls_verified": link.tls_verified,
        "ca_file": link.ca_file,
        "auto_position": link.auto_position,
        "server_id": link.server_id,
        "server_uuid": link.server_uuid,
        "established": link.established,
    }


def _error_result(error: EngineError | None) -> dict[str, t.Any] | None:
    return {"code": error.code, "message": error.message} if error else None


def _link_of(engine: Engine, result: c.Mapping[str, t.Any]) -> Link:
    return Link(
        **result["source"],
        io_thread=ThreadState(result["io_thread"]),
        sql_thread=ThreadState(result["sql_thread"]),
        io_error=EngineError(**result["last_io_error"]) if result["last_io_error"] else None,
        sql_error=EngineError(**result["last_sql_error"]) if result["last_sql_error"] else None,
        lag_seconds=result["lag_seconds"],
        received=engine.parse_gtids(result["gtid_received"]),
    )


__all__ = ("LOGIN_ERRORS", "Engine", "EngineError", "Link", "Role", "ServerStatus", "ThreadState")
