# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""From what all servers say to what is wrong with them."""

from __future__ import annotations

import enum
import typing as t
from collections import defaultdict
from dataclasses import dataclass

from .advice import advice
from .status import EngineError, Link, ServerStatus, ThreadState

if t.TYPE_CHECKING:
    import collections.abc as c

    from .topology import Server, Topology


class Severity(enum.Enum):
    """How bad a finding is."""

    CRITICAL = "critical"
    """Writes fail, data diverges, or the next failure of a server loses data."""
    WARNING = "warning"
    """It works, and not as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, why, and what to do."""

    name: str
    severity: Severity
    server: str
    reason: str
    action: str

    def as_result(self) -> dict[str, str]:
        return {
            "name": self.name,
            "severity": self.severity.value,
            "server": self.server,
            "reason": self.reason,
            "action": self.action,
        }

    def __str__(self) -> str:
        return f"{self.server}: {self.name} ({self.severity.value}): {self.reason}. What to do: {self.action}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is asked of a topology."""

    primary: str | None = None
    max_lag: int
    tls_required: bool = True
    canary_target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When a replica showed the canary, or why it did not."""

    server: str
    seconds: float | None
    problem: str | None = None


def evaluate(topology: Topology, policy: Policy) -> tuple[Finding, ...]:
    """Return everything that is wrong, the worst of it first."""
    found = [
        *_unreachable(topology),
        *_primaries(topology, policy),
        *_identities(topology),
        *_servers(topology),
        *(finding for follower in topology.followers for finding in _link(topology, policy, *follower)),
        *_strays(topology),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is Severity.WARNING))


def judge_canary(primary: str, sightings: c.Iterable[Sighting], policy: Policy) -> tuple[Finding, ...]:
    """Return what the canary has shown."""
    found = []
    for sighting in sightings:
        if sighting.seconds is None:
            found.append(
                Finding(
                    name="canary_lost",
                    severity=Severity.CRITICAL,
                    server=sighting.server,
                    reason=sighting.problem or f"a row written on {primary} did not arrive",
                    action="look at its replication threads and their lag; if they are fine, whether the account "
                    "may write the canary table on the primary and read it here",
                )
            )
        elif policy.canary_target is not None and sighting.seconds > policy.canary_target:
            found.append(
                Finding(
                    name="canary_slow",
                    severity=Severity.WARNING,
                    server=sighting.server,
                    reason=f"a row written on {primary} took {sighting.seconds:.3f} s, allowed are "
                    f"{policy.canary_target:g} s",
                    action="look at the load and the disks of this server and at the network to its source",
                )
            )
    return tuple(found)


def _unreachable(topology: Topology) -> c.Iterator[Finding]:
    for server in topology.unreachable:
        yield Finding(
            name="server_unreachable",
            severity=Severity.CRITICAL,
            server=server.name,
            reason=server.problem or "it could not be asked",
            action=server.remedy or "look at the server's load, its disks and its error log",
        )


def _primaries(topology: Topology, policy: Policy) -> c.Iterator[Finding]:
    writable = topology.writable
    names = ", ".join(server.name for server in writable)
    if not writable:
        states = ", ".join(
            f"{server.name} is {server.status.role.value if server.status else 'unreachable'}"
            for server in topology.servers
        )
        yield Finding(
            name="no_primary",
            severity=Severity.CRITICAL,
            server=policy.primary or "all servers",
            reason=f"no server takes writes: {states}",
            action="bring the primary back, or promote the replica that has the most",
        )
    elif len(writable) > 1:
        yield Finding(
            name="two_primaries",
            severity=Severity.CRITICAL,
            server=names,
            reason=f"{len(writable)} servers take writes and follow nobody",
            action="set read_only on all but the one that the application writes to, then compare their data",
        )
    elif policy.primary is not None and writable[0].name != policy.primary:
        yield Finding(
            name="wrong_primary",
            severity=Severity.CRITICAL,
            server=writable[0].name,
            reason=f"it takes the writes, and {policy.primary} was expected to",
            action=f"expect {writable[0].name} if the role was moved on purpose, else move it back with a switchover",
        )


def _identities(topology: Topology) -> c.Iterator[Finding]:
    by_identity: dict[str, list[str]] = defaultdict(list)
    for server in topology.servers:
        if server.status is not None:
            by_identity[f"server_id {server.status.server_id}"].append(server.name)
            if server.status.server_uuid:
                by_identity[f"server_uuid {server.status.server_uuid}"].append(server.name)
    for identity, names in by_identity.items():
        if len(names) > 1:
            yield Finding(
                name="duplicate_server_id",
                severity=Severity.CRITICAL,
                server=", ".join(names),
                reason=f"they share the {identity}: each ignores what the other has written",
                action="give each its own server_id; on MySQL also remove auto.cnf from the copy's data directory; "
                "then restart it",
            )


def _servers(topology: Topology) -> c.Iterator[Finding]:
    for server in topology.servers:
        status = server.status
        if status is not None and not (status.log_bin and status.gtid_enabled):
            yield Finding(
                name="gtid_off",
                severity=Severity.CRITICAL,
                server=server.name,
                reason="it keeps no complete GTID history (binary log "
                f"{'on' if status.log_bin else 'off'}, GTID mode {'on' if status.gtid_enabled else 'off'})",
                action="turn on log_bin, the logging of replicated changes and GTID mode in its configuration, "
                "then restart it",
            )


def _link(topology: Topology, policy: Policy, server: Server, status: ServerStatus, link: Link) -> c.Iterator[Finding]:
    """Say what is wrong with one replica."""
    if not status.read_only:
        yield Finding(
            name="replica_writable",
            severity=Severity.CRITICAL,
            server=server.name,
            reason="it follows a source and takes writes of its own",
            action="set read_only there, in the configuration as well, then look for rows that only it has",
        )
    primary = topology.primary
    if primary is not None and primary.status is not None:
        yield from _compared(primary, primary.status, server, status, link)
    yield from _threads(server, link)
    if link.lag_seconds is not None and link.lag_seconds > policy.max_lag:
        yield Finding(
            name="lag",
            severity=Severity.WARNING,
            server=server.name,
            reason=f"it is {link.lag_seconds} s behind its source, allowed are {policy.max_lag} s",
            action="look for a long transaction or a slow disk; more parallel appliers help against many small ones",
        )
    if not link.auto_position:
        yield Finding(
            name="gtid_off",
            severity=Severity.CRITICAL,
            server=server.name,
            reason="it finds its place by file and offset, which no other source knows",
            action="run webinfra.stack.replication on it: that switches the link to GTID",
        )
    if policy.tls_required and not link.tls:
        yield Finding(
            name="link_without_tls",
            severity=Severity.WARNING,
            server=server.name,
            reason=f"it reads from {link.endpoint} in clear",
            action="run webinfra.stack.replication on it with source_ca_file",
        )


def _compared(
    primary: Server, of_primary: ServerStatus, server: Server, status: ServerStatus, link: Link
) -> c.Iterator[Finding]:
    if not primary.is_source_of(link):
        yield Finding(
            name="wrong_source",
            severity=Severity.CRITICAL,
            server=server.name,
            reason=f"it follows {link.endpoint}, and {primary.name} takes the writes",
            action=f"run webinfra.stack.replication on it with {primary.name} as source_host",
        )
    errant = status.executed.subtract(of_primary.executed) if status.engine is of_primary.engine else None
    if errant:
        yield Finding(
            name="errant_transactions",
            severity=Severity.CRITICAL,
            server=server.name,
            reason=f"it has transactions that {primary.name} lacks: {errant}",
            action="find what wrote there and carry it over by hand, then seed this server anew",
        )


def _threads(server: Server, link: Link) -> c.Iterator[Finding]:
    threads: tuple[tuple[str, ThreadState, EngineError | None], ...] = (
        ("IO", link.io_thread, link.io_error),
        ("SQL", link.sql_thread, link.sql_error),
    )
    for name, state, error in threads:
        if state is not ThreadState.RUNNING:
            yield Finding(
                name="thread_stopped",
                severity=Severity.CRITICAL,
                server=server.name,
                reason=f"its {name} thread (source {link.endpoint}) is {state.value}"
                + (f": {error}" if error else ", without an error"),
                action=advice(error),
            )


def _strays(topology: Topology) -> c.Iterator[Finding]:
    """Find the servers that follow nobody although there is a primary."""
    if topology.primary is None:
        return
    for server in topology.servers:
        if server.status is not None and server.status.link is None and server is not topology.primary:
            yield Finding(
                name="wrong_source",
                severity=Severity.CRITICAL,
                server=server.name,
                reason=f"it follows nobody, and {topology.primary.name} takes the writes",
                action=f"run webinfra.stack.replication on it with {topology.primary.name} as source_host",
            )


__all__ = ("Finding", "Policy", "Severity", "Sighting", "evaluate", "judge_canary")
