# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack at one moment: what every view is made from. playbooks/files/status.schema.json describes it as JSON."""

from __future__ import annotations

import dataclasses
import enum
import typing as t
from dataclasses import dataclass

VERSION = 1
"""Of the document; it grows when a reader of status.json would have to change."""


class Level(enum.Enum):
    """How well a host or the stack is."""

    WELL = "well"
    WARNING = "warning"
    """It works, and not as it should."""
    CRITICAL = "critical"
    """Requests or writes fail, or the next fault loses data."""

    @property
    def rank(self) -> int:
        return list(Level).index(self)

    def reaches(self, limit: Level) -> bool:
        return self.rank >= limit.rank


class Tier(enum.Enum):
    """The groups of the inventory, in the order in which a request meets them."""

    LOAD_BALANCERS = "load_balancers"
    WEB_SERVERS = "web_servers"
    DB_SERVERS = "db_servers"
    MONITORING = "monitoring"


class TrafficState(enum.Enum):
    """Whether requests go along an edge."""

    FLOWING = "flowing"
    WAITING = "waiting"
    """A backup, or one that is drained."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, why, and what to do."""

    name: str
    level: Level
    host: str | None
    """Nothing where it is the stack's as a whole."""
    reason: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinglePoint:
    """A host without which reads or writes stop, and what would remove that."""

    tier: Tier
    host: str
    stops: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    path: str
    names: tuple[str, ...]
    days_left: int | None
    """Nothing where the file cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolServer:
    """A web server as its balancer sees it."""

    state: str
    up: bool | None
    weight: int
    backup: bool
    share: float | None
    """Its part of the requests of all servers, 0 to 1."""
    sessions: int
    override: str | None
    """What was set for it at run time, since when, by whom and why."""

    @property
    def answers(self) -> bool:
        return self.state == "ready" and self.up is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database server as it says itself."""

    role: str
    version: str
    uptime_seconds: int
    commits_wait: bool | None
    """Whether a commit waits for a replica; nothing where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    name: str
    address: str
    tiers: tuple[Tier, ...]
    level: Level
    verdict: str
    reachable: bool
    distribution: str | None = None
    firewall_active: bool | None = None
    release: str | None = None
    stopped_units: tuple[str, ...] = ()
    has_shared_address: bool | None = None
    certificates: tuple[Certificate, ...] = ()
    server: PoolServer | None = None
    database: Database | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests from one host to the next; from the public URL where there is no source."""

    source: str | None
    target: str
    state: TrafficState
    share: float
    """Its part of all requests, 0 to 1."""
    measured: bool
    """False where nothing has been counted and the share is what the weights promise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A replica and whom it follows."""

    source: str
    replica: str
    running: bool
    lag_seconds: float | None
    transactions_behind: int | None
    """The gap between the GTIDs of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    created_at: str
    """The moment in UTC, as ISO 8601 has it."""
    url: str
    provider: str
    engine: str
    shared_address: str | None
    level: Level
    sentence: str
    findings: tuple[Finding, ...]
    single_points: tuple[SinglePoint, ...]
    hosts: tuple[Host, ...]
    traffic: tuple[Traffic, ...]
    links: tuple[Link, ...]

    def of_tier(self, tier: Tier) -> tuple[Host, ...]:
        return tuple(host for host in self.hosts if tier in host.tiers)

    def single_point_of(self, tier: Tier) -> SinglePoint | None:
        return next((point for point in self.single_points if point.tier is tier), None)

    def findings_of(self, host: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.host == host)

    def link_of(self, replica: str) -> Link | None:
        return next((link for link in self.links if link.replica == replica), None)

    def primaries(self) -> tuple[Host, ...]:
        """Return who takes writes, else who the others follow, else who was the first one."""
        databases = self.of_tier(Tier.DB_SERVERS)
        sources = {link.source for link in self.links}
        writable = tuple(host for host in databases if host.database and host.database.role == "primary")
        return writable or tuple(host for host in databases if host.name in sources) or databases[:1]

    def replicas(self) -> tuple[Host, ...]:
        primaries = self.primaries()
        return tuple(host for host in self.of_tier(Tier.DB_SERVERS) if host not in primaries)

    def as_result(self) -> dict[str, t.Any]:
        """Return the document that the schema describes."""
        return {"version": VERSION, **_plain(dataclasses.asdict(self))}


def _plain(value: t.Any) -> t.Any:
    """Replace what JSON does not have."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


__all__ = (
    "VERSION",
    "Certificate",
    "Database",
    "Finding",
    "Host",
    "Level",
    "Link",
    "PoolServer",
    "SinglePoint",
    "Stack",
    "Tier",
    "Traffic",
    "TrafficState",
)
