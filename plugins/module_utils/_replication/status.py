# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a database server says about itself, in one vocabulary for both engines."""

from __future__ import annotations

import dataclasses
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
    waits_for_disk: bool = False
    """A thread waits for space; its state says running, and on MySQL the lag says 0."""

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}" if self.known else "one that it does not name"

    @property
    def known(self) -> bool:
        """Tell whether the source could be read; the process list only shows that there is one."""
        return bool(self.host)

    @property
    def running(self) -> bool:
        return self.io_thread is ThreadState.RUNNING and self.sql_thread is ThreadState.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class SemiSync:
    """How a commit waits for the replicas, and what this server says to its own source."""

    source_enabled: bool
    source_active: bool
    """Off while enabled: too few replicas have acknowledged in time, and commits no longer wait."""
    replica_enabled: bool
    replica_active: bool
    wait_after_sync: bool
    """Wait before the engine commits: what a client has seen, a replica has."""
    timeout_seconds: float
    acknowledging_replicas: int
    waits_without_replica: bool
    wait_for_replicas: int

    @property
    def enough(self) -> bool:
        """Tell whether as many acknowledge as are waited for."""
        return self.acknowledging_replicas >= self.wait_for_replicas

    @property
    def commits_wait(self) -> bool:
        """Tell whether a commit waits for a replica now: without one MariaDB calls itself active and does not."""
        return self.source_active and (self.enough or self.waits_without_replica)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a server wrote of itself while it took writes."""

    server_id: int
    age_seconds: float
    """By the clock of the one that was asked for it."""
    commit_wait_seconds: float | None
    """For how long its commits waited for a replica; null if they did not."""
    acknowledging_replicas: int | None
    """How many replicas were there to acknowledge; null if it could not know."""


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
    semi_sync: SemiSync | None
    """Null where the plugins are not loaded, which only MySQL needs."""
    applier_threads: int
    """0 and 1 apply one transaction after the other."""
    commit_order_kept: bool
    binlog_retention_seconds: int
    """0 keeps the binary logs for ever."""
    purged: Gtids
    """What was in binary logs that are gone."""
    heartbeat_age_seconds: float | None
    """How old the newest heartbeat of its source is by this server's clock; its own, without a source."""
    clock: float
    """Seconds since 1970 in UTC, when it was asked."""
    event_scheduler: bool
    beat_of_another: Beat | None = None
    """The newest heartbeat that is not its own: of its source, or of who took the writes before it."""
    unread: str | None = None
    """The statement that it did not answer in time; what that would have told is missing."""

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
    def possessed(self) -> Gtids:
        """What it has, applied or not."""
        return self.executed.union(self.link.received) if self.link else self.executed

    @property
    def transactions_to_apply(self) -> int | None:
        """How many have come from the source and wait."""
        return self.link.received.ahead_of(self.executed) if self.link and self.link.known else None

    @property
    def origin(self) -> str:
        """Who it is in the GTIDs of what it writes first."""
        return self.server_uuid or str(self.server_id)

    @property
    def heartbeat_written(self) -> float | None:
        """When the newest heartbeat was written, by the clock of the one who wrote it: no skew is in it."""
        return None if self.heartbeat_age_seconds is None else self.clock - self.heartbeat_age_seconds

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
            "semi_sync": dataclasses.asdict(self.semi_sync) if self.semi_sync else None,
            "applier_threads": self.applier_threads,
            "commit_order_kept": self.commit_order_kept,
            "binlog_retention_seconds": self.binlog_retention_seconds,
            "gtid_purged": str(self.purged),
            "heartbeat_age_seconds": self.heartbeat_age_seconds,
            "beat_of_another": dataclasses.asdict(self.beat_of_another) if self.beat_of_another else None,
            "clock": self.clock,
            "event_scheduler": self.event_scheduler,
            "transactions_to_apply": self.transactions_to_apply,
            "waits_for_disk": link.waits_for_disk if link else None,
            "unread": self.unread,
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
            semi_sync=SemiSync(**result["semi_sync"]) if result["semi_sync"] else None,
            applier_threads=result["applier_threads"],
            commit_order_kept=result["commit_order_kept"],
            binlog_retention_seconds=result["binlog_retention_seconds"],
            purged=engine.parse_gtids(result["gtid_purged"]),
            heartbeat_age_seconds=result["heartbeat_age_seconds"],
            beat_of_another=Beat(**result["beat_of_another"]) if result["beat_of_another"] else None,
            clock=result["clock"],
            event_scheduler=result["event_scheduler"],
            unread=result["unread"],
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
        waits_for_disk=result["waits_for_disk"],
    )


__all__ = ("LOGIN_ERRORS", "Beat", "Engine", "EngineError", "Link", "Role", "SemiSync", "ServerStatus", "ThreadState")
