# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Ask all servers until nothing is wrong with them, or the time is up."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._replication.policy import Finding, Policy, Sighting, evaluate, judge_canary
from .._replication.topology import InvalidTopologyError, Topology
from .._sql.connection import Login
from .._sql.survey import Survey, Target

if t.TYPE_CHECKING:
    import collections.abc as c

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
    canary: CanaryFlight = field(default_factory=CanaryFlight)

    @property
    def message(self) -> str:
        """Return one line a finding, for a reader at three in the morning."""
        count = len(self.findings)
        head = f"Replication has {count} finding{'s' if count > 1 else ''}:"
        return "\n".join([head, *(f"- {finding}" for finding in self.findings)])

    def as_result(self) -> dict[str, t.Any]:
        primary = self.topology.primary
        return {
            "changed": False,
            "primary": primary.name if primary else None,
            "replicas": [server.name for server, _status, _link in self.topology.followers],
            "findings": [finding.as_result() for finding in self.findings],
            "canary": self.canary.as_result(),
            "servers": {
                server.name: server.status.as_result() for server in self.topology.servers if server.status is not None
            },
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
        canary_target=params["canary_target"],
    )
    targets = _targets(params)
    deadline = clock() + params["timeout"]
    with Survey(targets) as survey:
        while True:
            report = _look(survey, policy, params, check_mode=check_mode)
            if not report.findings or clock() >= deadline:
                return report
            sleep(_PAUSE_SECONDS)


def _look(survey: Survey, policy: Policy, params: c.Mapping[str, t.Any], *, check_mode: bool) -> Report:
    topology = survey.read()
    findings = evaluate(topology, policy)
    flight = _fly(survey, topology, params, check_mode=check_mode)
    if topology.primary is not None:
        findings += judge_canary(topology.primary.name, flight.sightings, policy)
    return Report(topology=topology, findings=findings, canary=flight)


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
    servers = params["servers"]
    names = [server["name"] for server in servers]
    if not names or len(set(names)) != len(names):
        raise InvalidTopologyError(f"Every server has to be listed exactly once: {', '.join(names) or 'none given'}")
    if params["primary"] is not None and params["primary"] not in names:
        raise InvalidTopologyError(f"The primary {params['primary']} is none of the servers: {', '.join(names)}")
    return [
        Target(
            name=server["name"],
            addresses=frozenset({server["host"], *server["addresses"]}),
            login=Login(
                host=server["host"],
                port=server["port"],
                user=params["login_user"],
                password=params["login_password"],
                ca_file=params["ca_file"],
                connect_timeout=params["connect_timeout"],
                statement_timeout=_STATEMENT_SECONDS,
            ),
        )
        for server in servers
    ]


__all__ = ("CanaryFlight", "Report", "check")
