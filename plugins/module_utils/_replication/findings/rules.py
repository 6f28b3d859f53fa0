# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""All rules, in one table: what is looked for, how bad it is and what to do about it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..advice import rejoining_command
from . import primaries, replicas, servers
from .finding import Case, Finding, Severity

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..topology import Topology
    from .finding import Policy

_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fault."""

    name: str
    severity: Severity
    look: c.Callable[[Topology, Policy], c.Iterator[Case]]
    action: str


RULES = (
    Rule(
        "server_unreachable",
        _CRITICAL,
        servers.unreachable,
        "look at the server's load, its disks and its error log",
    ),
    Rule(
        "status_hangs",
        _CRITICAL,
        servers.hanging,
        "look at the disk first (df on the data directory): with a full one threads wait for space; then at long "
        "locks and at the server's error log",
    ),
    Rule(
        "disk_full",
        _CRITICAL,
        servers.waiting_for_disk,
        "free space in its data directory or enlarge the disk: it goes on by itself within a minute",
    ),
    Rule(
        "no_primary",
        _CRITICAL,
        primaries.none,
        "bring the primary back, or promote the replica that has the most",
    ),
    Rule(
        "two_primaries",
        _CRITICAL,
        primaries.several,
        "set read_only on all but the one that the application writes to, then compare their data",
    ),
    Rule(
        "wrong_primary",
        _CRITICAL,
        primaries.unexpected,
        "expect it there if the role was moved on purpose, else move it back with a switchover",
    ),
    Rule(
        "duplicate_server_id",
        _CRITICAL,
        servers.same_server_id,
        "give each a server_id of its own in its configuration, then restart it",
    ),
    Rule(
        "duplicate_server_uuid",
        _CRITICAL,
        servers.same_server_uuid,
        "stop the copy, remove auto.cnf from its data directory and start it again",
    ),
    Rule(
        "gtid_off",
        _CRITICAL,
        servers.without_gtid,
        "turn on log_bin, the logging of replicated changes and GTID mode in its configuration, then restart it",
    ),
    Rule(
        "wrong_source",
        _CRITICAL,
        replicas.astray,
        f"{rejoining_command()} brings it back as a replica",
    ),
    Rule(
        "thread_stopped",
        _CRITICAL,
        replicas.not_running,
        "look into the server's error log",
    ),
    Rule(
        "replica_writable",
        _CRITICAL,
        replicas.writable,
        "set read_only there, in the configuration as well, then look for rows that only it has",
    ),
    Rule(
        "errant_transactions",
        _CRITICAL,
        replicas.errant,
        f"find what wrote there; {rejoining_command()} saves it to files and fills this server anew",
    ),
    Rule(
        "purged_transactions_needed",
        _CRITICAL,
        replicas.in_need_of_purged,
        f"no source has these any more; {rejoining_command()} fills it from a live server",
    ),
    Rule(
        "semi_sync_degraded",
        _CRITICAL,
        primaries.not_acknowledged,
        "bring a replica back that acknowledges: it needs semi-synchronous replication enabled, and a link that runs",
    ),
    Rule(
        "stranger_acknowledges",
        _CRITICAL,
        primaries.acknowledged_by_stranger,
        "add it to the inventory, or stop its replication; the site ends the connection of a server that was taken out",
    ),
    Rule(
        "lag",
        _WARNING,
        replicas.behind,
        "look for a long transaction or a slow disk; more parallel appliers help against many small ones",
    ),
    Rule(
        "link_without_tls",
        _WARNING,
        replicas.in_clear,
        "run webinfra.stack.replication on it with source_ca_file",
    ),
    Rule(
        "unequal_versions",
        _WARNING,
        replicas.older,
        "bring all servers to one version, replicas first: a replica must never be older than its source",
    ),
    Rule(
        "retention_too_short",
        _WARNING,
        servers.forgetful,
        "raise binlog_expire_logs_seconds, and look whether the disk has room for that",
    ),
    Rule(
        "heartbeat_missing",
        _WARNING,
        primaries.without_heartbeat,
        "run webinfra.stack.replication with state=primary on the primary, and let this account read the table",
    ),
    Rule(
        "heartbeat_old",
        _WARNING,
        primaries.with_old_heartbeat,
        "look whether the event scheduler runs and the event is enabled, and whether commits wait for something",
    ),
    Rule(
        "clock_skew",
        _WARNING,
        servers.out_of_time,
        "set up time synchronisation there; lags, expiries and certificates are judged by these clocks",
    ),
)
CANARY_NAMES = ("canary_lost", "canary_slow")
FINDING_NAMES = (*(rule.name for rule in RULES), *CANARY_NAMES)


def evaluate(topology: Topology, policy: Policy) -> tuple[Finding, ...]:
    """Return everything that is wrong, the worst of it first."""
    found = [
        Finding(
            name=rule.name,
            severity=rule.severity,
            server=case.server,
            reason=case.reason,
            action=case.action or rule.action,
        )
        for rule in RULES
        for case in rule.look(topology, policy)
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is Severity.WARNING))


__all__ = ("CANARY_NAMES", "FINDING_NAMES", "RULES", "Rule", "evaluate")
