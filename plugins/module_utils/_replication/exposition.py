# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A check as Prometheus text, for the textfile collector of node-exporter."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .findings.finding import Severity
from .findings.rules import FINDING_NAMES
from .prometheus import family
from .status import Role, ThreadState

if t.TYPE_CHECKING:
    import collections.abc as c

    from .findings.finding import Finding
    from .prometheus import Sample
    from .status import ServerStatus
    from .topology import Server, Topology

_PREFIX = "webinfra_replication_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of each server; it is left out where there is nothing to say."""

    name: str
    help: str
    value: c.Callable[[Topology, Server, ServerStatus], float | None]


SERVER_METRICS = (
    Metric(
        name="lag_seconds",
        help="How far a replica is behind its source, as the engine counts.",
        value=lambda _topology, _server, status: status.link.lag_seconds if status.link else None,
    ),
    Metric(
        name="heartbeat_lag_seconds",
        help="How far a replica is behind its source, by the heartbeats that both show.",
        value=lambda topology, server, _status: topology.heartbeat_lag(server),
    ),
    Metric(
        name="heartbeat_age_seconds",
        help="How old the newest heartbeat is by the server's own clock.",
        value=lambda _topology, _server, status: status.heartbeat_age_seconds,
    ),
    Metric(
        name="transactions_behind",
        help="Transactions of the primary that a replica lacks.",
        value=lambda topology, server, status: topology.transactions_behind(server) if status.link else None,
    ),
    Metric(
        name="transactions_to_apply",
        help="Transactions that have come from the source and wait.",
        value=lambda _topology, _server, status: status.transactions_to_apply,
    ),
    Metric(
        name="io_thread_running",
        help="Whether the thread that reads from the source runs.",
        value=lambda _topology, _server, status: _running(status.link.io_thread) if status.link else None,
    ),
    Metric(
        name="sql_thread_running",
        help="Whether the thread that applies runs.",
        value=lambda _topology, _server, status: _running(status.link.sql_thread) if status.link else None,
    ),
    Metric(
        name="read_only",
        help="Whether ordinary accounts cannot write.",
        value=lambda _topology, _server, status: float(status.read_only),
    ),
    Metric(
        name="semi_sync_active",
        help="Whether commits wait for a replica.",
        value=lambda _topology, _server, status: float(status.semi_sync.commits_wait) if status.semi_sync else None,
    ),
    Metric(
        name="semi_sync_acknowledging_replicas",
        help="Replicas that acknowledge what they receive.",
        value=lambda _topology, _server, status: status.semi_sync.acknowledging_replicas if status.semi_sync else None,
    ),
    Metric(
        name="binlog_retention_seconds",
        help="For how long binary logs are kept; 0 is for ever.",
        value=lambda _topology, _server, status: status.binlog_retention_seconds,
    ),
    Metric(
        name="clock_offset_seconds",
        help="How far the server's clock is ahead of the one of whoever asked.",
        value=lambda _topology, server, _status: server.clock.middle if server.clock else None,
    ),
    Metric(
        name="uptime_seconds",
        help="For how long the server has been running.",
        value=lambda _topology, _server, status: status.uptime_seconds,
    ),
)


def exposition(topology: Topology, findings: c.Sequence[Finding], *, checked_at: float, seconds: float) -> str:
    """Write everything as text; a finding that is gone says 0, so that an alert on it ends."""
    up = [({"server": server.name}, float(server.status is not None)) for server in topology.servers]
    families = [
        _family("check_timestamp_seconds", "When the servers were asked, in seconds since 1970.", [({}, checked_at)]),
        _family("check_duration_seconds", "How long that took.", [({}, seconds)]),
        _family("findings", "How many findings there are.", _by_severity(findings)),
        _family("finding", "Whether there is a finding of this name, on any server.", _by_name(findings)),
        _family("finding_info", "One for each finding, with the server that has it.", _each(findings)),
        _family("server_up", "Whether a server could be asked.", up),
        _family("server_role", "What a server is: 1 for its role, 0 for the others.", _roles(topology)),
        *(_family(metric.name, metric.help, _of_servers(topology, metric)) for metric in SERVER_METRICS),
    ]
    return "".join(families)


def _by_severity(findings: c.Sequence[Finding]) -> list[Sample]:
    return [
        ({"severity": severity.value}, sum(finding.severity is severity for finding in findings))
        for severity in Severity
    ]


def _by_name(findings: c.Sequence[Finding]) -> list[Sample]:
    names = {finding.name for finding in findings}
    return [({"name": name}, float(name in names)) for name in FINDING_NAMES]


def _each(findings: c.Sequence[Finding]) -> list[Sample]:
    seen = dict.fromkeys((finding.name, finding.severity.value, finding.server) for finding in findings)
    return [({"name": name, "severity": severity, "server": server}, 1) for name, severity, server in seen]


def _roles(topology: Topology) -> list[Sample]:
    return [
        ({"server": server.name, "role": role.value}, float(status.role is role))
        for server, status in topology.answering
        for role in Role
    ]


def _of_servers(topology: Topology, metric: Metric) -> list[Sample]:
    values = [(server.name, metric.value(topology, server, status)) for server, status in topology.answering]
    return [({"server": name}, value) for name, value in values if value is not None]


def _running(state: ThreadState) -> float:
    return float(state is ThreadState.RUNNING)


def _family(name: str, words: str, samples: c.Iterable[Sample]) -> str:
    """Write a metric; nobody needs more than a thousandth of a second."""
    return family(f"{_PREFIX}{name}", words, [(labels, round(value, 3)) for labels, value in samples])


__all__ = ("SERVER_METRICS", "Metric", "exposition")
