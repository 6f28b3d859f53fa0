# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts answered, as values. An answer may be missing, or say only why there is none."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import Observation, UfwError
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import UnreadableRuleError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import SemiSync
from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_tree import told
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import (
    Certificate,
    Database,
    Finding,
    Level,
    Link,
    PoolServer,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.words import moment_text
from ansible_collections.webinfra.stack.plugins.plugin_utils.virtual_ip import holders

if t.TYPE_CHECKING:
    import collections.abc as c

Result = t.Mapping[str, t.Any]
_DAY = 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a host says of itself."""

    reachable: bool
    problem: str | None
    """Why it says nothing."""
    distribution: str | None = None
    firewall_active: bool | None = None
    release: str | None = None
    stopped_units: tuple[str, ...] = ()
    has_shared_address: bool | None = None
    certificates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerView:
    """What one balancer says of its servers."""

    servers: t.Mapping[str, PoolServer]
    requests: t.Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasesView:
    """What the databases say, as the one saw them that saw most."""

    servers: t.Mapping[str, Database]
    links: tuple[Link, ...]
    findings: tuple[Finding, ...]


def read_survey(
    result: Result, *, shared_address: str, certificates: c.Sequence[Result], link: str, now: float
) -> Survey:
    """Read the result of M(webinfra.stack.host_survey)."""
    if "addresses" not in result:
        reachable = bool(result) and not result.get("unreachable", False)
        return Survey(reachable=reachable, problem=why_silent(result))
    facts, seen = result["ansible_facts"], result["seen"] or {}
    ends = result.get("certificates", {})
    return Survey(
        reachable=True,
        problem=None,
        distribution=f"{facts['ansible_distribution']} {facts['ansible_distribution_version']}",
        firewall_active=_firewall_active(seen.get("firewall")),
        release=_release(seen.get("links", {}).get(link)),
        stopped_units=tuple(_stopped_units(seen.get("units", {}))),
        has_shared_address=bool(holders(shared_address, {"": result["addresses"]})) if shared_address else None,
        certificates=tuple(
            Certificate(
                path=each["certificate"],
                names=tuple(each["names"]),
                days_left=_days_until(ends.get(each["certificate"]), now),
            )
            for each in certificates
        ),
    )


def read_balancer(result: Result) -> BalancerView | None:
    """Read the result of M(webinfra.stack.load_balancer_info); nothing where it does not answer."""
    if "servers" not in result:
        return None
    rows = result["servers"]
    servers = {
        row["name"]: PoolServer(
            state=row["state"],
            up=row["up"],
            weight=row["weight"],
            backup=row["backup"],
            share=row["share"],
            sessions=row["sessions"],
            override=_told(row["override"]),
        )
        for row in rows
    }
    return BalancerView(servers=servers, requests={row["name"]: row["requests"] for row in rows})


def read_databases(results: c.Iterable[Result], addresses: t.Mapping[str, str]) -> DatabasesView | None:
    """Read the results of M(webinfra.stack.replication_check): a host that is cut off from others sees less of them."""
    answers = [result for result in results if "findings" in result]
    if not answers:
        return None
    answer = max(answers, key=lambda result: len(result["servers"]))
    names = {address: name for name, address in addresses.items()}
    servers = answer["servers"]
    return DatabasesView(
        servers={name: _database(server) for name, server in servers.items()},
        links=tuple(_link(name, server, names) for name, server in servers.items() if server["source"]),
        findings=tuple(
            Finding(
                name=finding["name"],
                level=Level(finding["severity"]),
                host=finding["server"] if finding["server"] in addresses else None,
                reason=finding["reason"],
                action=finding["action"],
            )
            for finding in answer["findings"]
        ),
    )


def why_silent(result: Result) -> str:
    """Return why there is no answer."""
    return _words(result) or "it was not asked"


def _told(override: Result | None) -> str | None:
    return told({**override, "since": moment_text(override["since"])}) if override else None


def _database(server: Result) -> Database:
    semi_sync = SemiSync(**server["semi_sync"]) if server["semi_sync"] else None
    commits_wait = semi_sync.commits_wait if semi_sync and server["role"] == "primary" else None
    return Database(
        role=server["role"],
        version=server["version"],
        uptime_seconds=server["uptime_seconds"],
        commits_wait=commits_wait,
    )


def _link(name: str, server: Result, names: t.Mapping[str, str]) -> Link:
    host = server["source"]["host"]
    lag = server["heartbeat_lag_seconds"]
    return Link(
        source=names.get(host, host) or "nobody that it names",
        replica=name,
        running=(server["io_thread"], server["sql_thread"]) == ("running", "running"),
        lag_seconds=server["lag_seconds"] if lag is None else lag,
        transactions_behind=server["transactions_behind"],
    )


def _firewall_active(observation: Result | None) -> bool | None:
    """Tell whether it filters; nothing where its files cannot be read, which the site can say more of."""
    if observation is None:
        return None
    try:
        state = Observation.from_result(observation).state()
    except (UfwError, UnreadableRuleError):
        return None
    return state.enabled and state.running


def _stopped_units(sights: t.Mapping[str, Result]) -> t.Iterator[str]:
    """Yield what was configured here and does not run, but not the rivals of what runs: those must not."""
    running = [unit for unit, sight in sights.items() if sight["states"][unit]["active"]]
    rivals = {rival for unit in running for rival in sights[unit]["states"] if rival != unit}
    yield from (unit for unit in sights if unit not in running and unit not in rivals)


def _release(target: str | None) -> str | None:
    return target.rstrip("/").rpartition("/")[2] if target else None


def _days_until(end: int | None, now: float) -> int | None:
    return None if end is None else int((end - now) // _DAY)


def _words(result: Result) -> str:
    """Return the first line of what a module says when it fails; of a connection, what ssh itself says."""
    first = next((line.strip() for line in str(result.get("msg", "")).splitlines() if line.strip()), "")
    return first.rpartition(": ssh: ")[2].removeprefix("Task failed: ")


__all__ = ("BalancerView", "DatabasesView", "Survey", "read_balancer", "read_databases", "read_survey", "why_silent")
