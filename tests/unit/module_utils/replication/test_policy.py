# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.policy import (
    Policy,
    Severity,
    Sighting,
    evaluate,
    judge_canary,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, status

POLICY = Policy(max_lag=30)
every_engine = pytest.mark.parametrize("engine", ENGINES)


def servers(engine: str, situation: str = "replica", **replica_changes: t.Any) -> list[Server]:
    host = link(engine, "replica").host
    return [
        Server(name="db1", addresses=frozenset({host}), status=status(engine, "primary")),
        Server(name="db2", addresses=frozenset({"10.9.9.9"}), status=status(engine, situation, **replica_changes)),
    ]


def names(found: t.Iterable[t.Any]) -> list[str]:
    return [finding.name for finding in found]


@every_engine
def test_a_healthy_pair_has_no_finding(engine: str) -> None:
    assert evaluate(Topology(tuple(servers(engine))), POLICY) == ()


LINK_CASES: list[tuple[str, dict[str, t.Any], str]] = [
    ("wrong_source", {"host": "elsewhere", "server_id": 7}, "follows elsewhere:3306, and db1 takes the writes"),
    ("thread_stopped", {"sql_thread": ThreadState.STOPPED}, "its SQL thread"),
    ("thread_stopped", {"io_thread": ThreadState.STOPPED}, "its IO thread"),
    ("lag", {"lag_seconds": 31}, "31 s behind its source, allowed are 30 s"),
    ("gtid_off", {"auto_position": False}, "file and offset"),
    ("link_without_tls", {"tls": False}, "in clear"),
]


@every_engine
@pytest.mark.parametrize(("name", "change", "words"), LINK_CASES, ids=[case[0] for case in LINK_CASES])
def test_a_fault_of_a_link_is_a_finding(engine: str, name: str, change: dict[str, t.Any], words: str) -> None:
    (finding,) = evaluate(Topology(tuple(servers(engine, link=link(engine, "replica", **change)))), POLICY)
    assert (finding.name, finding.server) == (name, "db2")
    assert words in finding.reason
    assert finding.action


@every_engine
def test_a_conflict_is_two_findings_with_the_row_and_the_transaction(engine: str) -> None:
    found = evaluate(Topology(tuple(servers(engine, "conflict"))), POLICY)
    assert set(names(found)) == {"errant_transactions", "thread_stopped"}
    text = "\n".join(str(finding) for finding in found)
    assert "Duplicate entry '1'" in text
    assert "lacks: " in text


@every_engine
def test_a_source_known_by_another_address_is_recognised_by_its_identity(engine: str) -> None:
    pair = servers(engine)
    pair[0] = dataclasses.replace(pair[0], addresses=frozenset())
    assert evaluate(Topology(tuple(pair)), POLICY) == ()


@every_engine
def test_a_writable_replica_is_a_finding(engine: str) -> None:
    assert names(evaluate(Topology(tuple(servers(engine, read_only=False))), POLICY)) == ["replica_writable"]


@every_engine
def test_shared_server_ids_are_a_finding(engine: str) -> None:
    found = evaluate(Topology(tuple(servers(engine, server_id=1))), POLICY)
    assert names(found) == ["duplicate_server_id"]
    assert found[0].server == "db1, db2"


@every_engine
def test_a_server_without_gtid_history_is_a_finding(engine: str) -> None:
    assert names(evaluate(Topology(tuple(servers(engine, gtid_enabled=False))), POLICY)) == ["gtid_off"]


@every_engine
def test_an_unreachable_server_is_a_finding_with_its_reason_and_remedy(engine: str) -> None:
    pair = servers(engine)
    pair[1] = Server(name="db2", status=None, problem="no route to host", remedy="plug it in")
    (finding,) = evaluate(Topology(tuple(pair)), POLICY)
    assert str(finding) == "db2: server_unreachable (critical): no route to host. What to do: plug it in"


@every_engine
def test_no_primary_says_what_every_server_is(engine: str) -> None:
    pair = servers(engine)
    pair[0] = dataclasses.replace(pair[0], status=None)
    found = [finding for finding in evaluate(Topology(tuple(pair)), POLICY) if finding.name == "no_primary"]
    assert "db1 is unreachable, db2 is replica" in found[0].reason


@every_engine
def test_two_primaries_are_a_finding(engine: str) -> None:
    assert "two_primaries" in names(evaluate(Topology(tuple(servers(engine, link=None, read_only=False))), POLICY))


@every_engine
def test_a_server_that_follows_nobody_is_a_finding(engine: str) -> None:
    (finding,) = evaluate(Topology(tuple(servers(engine, link=None))), POLICY)
    assert (finding.name, finding.server) == ("wrong_source", "db2")
    assert "follows nobody" in finding.reason


@every_engine
def test_the_wrong_primary_is_a_finding(engine: str) -> None:
    found = evaluate(Topology(tuple(servers(engine))), Policy(max_lag=30, primary="db2"))
    assert names(found) == ["wrong_primary"]


@every_engine
def test_the_worst_findings_come_first(engine: str) -> None:
    slow = link(engine, "replica", lag_seconds=99, tls=False)
    found = evaluate(Topology(tuple(servers(engine, link=slow, read_only=False))), POLICY)
    assert [finding.severity for finding in found] == [Severity.CRITICAL, Severity.WARNING, Severity.WARNING]


def test_tls_need_not_be_asked_for() -> None:
    clear = servers("mysql_9_7", link=link("mysql_9_7", "replica", tls=False))
    assert evaluate(Topology(tuple(clear)), Policy(max_lag=30, tls_required=False)) == ()


@pytest.mark.parametrize(
    ("seconds", "target", "expected"),
    [(0.01, None, []), (0.01, 1.0, []), (2.0, 1.0, ["canary_slow"]), (2.0, None, []), (None, 1.0, ["canary_lost"])],
)
def test_a_canary_is_fine_slow_or_lost(seconds: float | None, target: float | None, expected: list[str]) -> None:
    policy = Policy(max_lag=30, canary_target=target)
    assert names(judge_canary("db1", [Sighting(server="db2", seconds=seconds)], policy)) == expected
