# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Ask all servers until nothing is wrong with them, or the time is up."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._replication.exposition import exposition
from .._replication.findings.canary import Sighting, judge_canary
from .._replication.findings.finding import Finding, Policy, Severity
from .._replication.findings.rules import evaluate
from .._replication.topology import InvalidTopologyError, Topology
from .._sql.survey import Survey
from .servers import targets_of

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.status import ServerStatus
    from .._replication.topology import Server
    from .._sql.survey import Target

_PAUSE_SECONDS = 0.5
_STATEMENT_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryFlight:
    """The row that was written, or why none was."""

    reason: str | None = None
    sightings: tuple[Sighting, ...] = ()

    def as_result(self) -> dict[str, t.Any]:
        return {
            "flown": self.reason is None,
            "reason": self.reason,
            "seconds": {
                sighting.server: None if sighting.seconds is None else round(sighting.seconds, 4)
                for sighting in self.sightings
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the servers said and what is wrong with it."""

    topology: Topology
    findings: tuple[Finding, ...]
    fail_on: Severity
    seconds: float
    """How long the servers took to answer."""
    canary: CanaryFlight = field(default_factory=CanaryFlight)

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Return the findings that are as bad as was asked for."""
        return tuple(finding for finding in self.findings if finding.severity.reaches(self.fail_on))

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """Return the findings that are not."""
        return tuple(finding for finding in self.findings if not finding.severity.reaches(self.fail_on))

    @property
    def message(self) -> str:
        """Return one line a finding, for a reader at three in the morning."""
        count = len(self.failures)
        head = f"Replication has {count} finding{'s' if count > 1 else ''}:"
        return "\n".join([head, *(f"- {finding}" for finding in self.failures)])

    def as_metrics(self, checked_at: float) -> str:
        return exposition(self.topology, self.findings, checked_at=checked_at, seconds=self.seconds)

    def as_result(self) -> dict[str, t.Any]:
        primary = self.topology.primary
        return {
            "changed": False,
            "primary": primary.name if primary else None,
            "replicas": [server.name for server, _status, _link in self.topology.followers],
            "findings": [finding.as_result() for finding in self.findings],
            "canary": self.canary.as_result(),
            "seconds": round(self.seconds, 3),
            "servers": {server.name: self._server(server, status) for server, status in self.topology.answering},
        }

    def _server(self, server: Server, status: ServerStatus) -> dict[str, t.Any]:
        """Add what only shows beside the primary."""
        errant = self.topology.errant(server)
        lag = self.topology.heartbeat_lag(server)
        return {
            **status.as_result(),
            "transactions_behind": self.topology.transactions_behind(server),
            "gtid_errant": None if errant is None else str(errant),
            "heartbeat_lag_seconds": None if lag is None else round(lag, 3),
            "clock_offset_seconds": None if server.clock is None else round(server.clock.middle, 3),
        }


def check(
    params: c.Mapping[str, t.Any],
    *,
    check_mode: bool,
    clock: c.Callable[[], float],
    sleep: c.Callable[[float], None],
) -> Report:
    """Check the topology that the module's options describe."""
    policy = Policy(
        primary=params["primary"],
        max_lag=params["max_lag"],
        tls_required=params["tls_required"],
        semi_sync_required=params["semi_sync_required"],
        max_clock_skew=params["max_clock_skew"],
        max_heartbeat_age=params["max_heartbeat_age"],
        longest_outage=params["longest_outage"],
        canary_target=params["canary_target"],
    )
    targets = _targets(params)
    deadline = clock() + params["timeout"]
    with Survey(targets, params["canary_database"]) as survey:
        while True:
            begin = clock()
            topology = survey.read()
            report = _judge(survey, topology, policy, params, check_mode=check_mode, seconds=clock() - begin)
            if not report.failures or clock() >= deadline:
                return report
            sleep(_PAUSE_SECONDS)


def _judge(
    survey: Survey,
    topology: Topology,
    policy: Policy,
    params: c.Mapping[str, t.Any],
    *,
    check_mode: bool,
    seconds: float,
) -> Report:
    findings = evaluate(topology, policy)
    flight = _fly(survey, topology, params, check_mode=check_mode)
    if topology.primary is not None:
        findings += judge_canary(topology.primary.name, flight.sightings, policy)
    fail_on = Severity(params["fail_on"])
    return Report(topology=topology, findings=findings, fail_on=fail_on, seconds=seconds, canary=flight)


def _fly(survey: Survey, topology: Topology, params: c.Mapping[str, t.Any], *, check_mode: bool) -> CanaryFlight:
    if not params["canary"]:
        return CanaryFlight(reason="not asked for")
    if check_mode:
        return CanaryFlight(reason="not flown in check mode: it would write")
    if topology.primary is None:
        return CanaryFlight(reason="not flown: there is not exactly one primary")
    replicas = [server for server, _status, link in topology.followers if link.running]
    sightings = survey.fly_canary(topology.primary, replicas, params["canary_database"], params["canary_timeout"])
    return CanaryFlight(sightings=tuple(sightings))


def _targets(params: c.Mapping[str, t.Any]) -> list[Target]:
    targets = targets_of(params, statement_timeout=_STATEMENT_SECONDS)
    names = [target.name for target in targets]
    if params["primary"] is not None and params["primary"] not in names:
        raise InvalidTopologyError(f"The primary {params['primary']} is none of the servers: {', '.join(names)}")
    return targets


__all__ = ("CanaryFlight", "Report", "check")
