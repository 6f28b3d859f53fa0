# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.findings.canary import Sighting, judge_canary
from ansible_collections.webinfra.stack.plugins.module_utils._replication.findings.finding import Policy, Severity
from ansible_collections.webinfra.stack.plugins.module_utils._replication.findings.rules import RULES, evaluate
from ansible_collections.webinfra.stack.plugins.module_utils._replication.gtid import Gtids, MariaDBGtids, MySQLGtids
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import SemiSync, ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import ClockOffset, Server, Topology
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, session, status

POLICY = Policy(max_lag=30)
every_engine = pytest.mark.parametrize("engine", ENGINES)


def servers(engine: str, situation: str = "replica", **replica_changes: t.Any) -> list[Server]:
    host = link(engine, "replica").host
    return [
        Server(name="db1", addresses=frozenset({host}), status=status(engine, "primary")),
        Server(name="db2", addresses=replicas_of(engine), status=status(engine, situation, **replica_changes)),
    ]


def replicas_of(engine: str) -> frozenset[str]:
    return frozenset({"10.9.9.9", *status(engine, "primary").connected_replicas})


def names(found: t.Iterable[t.Any]) -> list[str]:
    return [finding.name for finding in found]


@every_engine
def test_a_healthy_pair_has_no_finding(engine: str) -> None:
    assert evaluate(Topology(tuple(servers(engine))), POLICY) == ()


LINK_CASES: list[tuple[str, dict[str, t.Any], str]] = [
    ("wrong_source", {"host": "elsewhere", "server_id": 7}, "follows elsewhere:3306, and db1 takes the writes"),
    ("thread_stopped", {"sql_thread": ThreadState.STOPPED}, "its SQL thread"),
    ("thread_stopped", {"io_thread": ThreadState.STOPPED}, "its IO thread"),
    ("lag", {"lag_seconds": 31}, "31 s behind its source, allowed are 30 s (the engine says 31 s, the heartbeat "),
    ("gtid_off", {"auto_position": False}, "file and offset"),
    ("link_without_tls", {"tls": False}, "in clear"),
    ("link_without_tls", {"tls_verified": False}, "does not check the certificate"),
    ("disk_full", {"waits_for_disk": True}, "waits for space on the disk, while its state says running"),
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


def beside(primary: dict[str, t.Any], replica: dict[str, t.Any], engine: str) -> Topology:
    """Return a pair with changes on both sides."""
    one, two = servers(engine, **replica)
    assert one.status is not None
    return Topology((dataclasses.replace(one, status=dataclasses.replace(one.status, **primary)), two))


def asking(**more: t.Any) -> Policy:
    return Policy(max_lag=30, **more)


def semi_sync(**changes: t.Any) -> SemiSync:
    healthy = SemiSync(
        source_enabled=True,
        source_active=True,
        replica_enabled=True,
        replica_active=False,
        wait_after_sync=True,
        timeout_seconds=1.0,
        acknowledging_replicas=1,
        waits_without_replica=True,
        wait_for_replicas=1,
    )
    return dataclasses.replace(healthy, **changes)


ACKNOWLEDGING = semi_sync(source_enabled=False, source_active=False, replica_active=True, acknowledging_replicas=0)


@every_engine
def test_a_heartbeat_that_arrives_late_is_lag_although_the_engine_says_none(engine: str) -> None:
    primary = status(engine, "primary")
    assert primary.heartbeat_written is not None
    late = beside({}, {"clock": primary.heartbeat_written - 58, "heartbeat_age_seconds": 2.0}, engine)
    (finding,) = evaluate(late, POLICY)
    assert finding.name == "lag"
    assert "it is 60 s behind" in finding.reason
    assert "the engine says 0 s, the heartbeat 60 s" in finding.reason


@every_engine
def test_a_clock_that_is_off_is_no_lag(engine: str) -> None:
    replica = status(engine, "replica")
    assert replica.heartbeat_age_seconds is not None
    fast = {"clock": replica.clock + 600, "heartbeat_age_seconds": replica.heartbeat_age_seconds + 600}
    assert evaluate(beside({}, fast, engine), POLICY) == ()


@every_engine
def test_a_heartbeat_that_nobody_writes_is_no_lag(engine: str) -> None:
    asleep = {"heartbeat_age_seconds": 900.0}
    both = {"clock": status(engine, "primary").clock, **asleep}
    found = evaluate(beside(asleep, both, engine), asking(max_heartbeat_age=5))
    assert names(found) == ["heartbeat_old"]
    assert "900.0 s old, allowed are 5 s" in found[0].reason


@every_engine
def test_a_missing_heartbeat_is_found_where_one_is_asked_for(engine: str) -> None:
    silent = {"heartbeat_age_seconds": None, "event_scheduler": False}
    assert evaluate(beside(silent, silent, engine), POLICY) == ()
    found = evaluate(beside(silent, silent, engine), asking(max_heartbeat_age=5))
    assert [(finding.name, finding.server) for finding in found] == [
        ("heartbeat_missing", "db1"),
        ("heartbeat_missing", "db2"),
    ]
    assert "its event scheduler is off" in found[0].reason


@every_engine
def test_transactions_behind_are_counted(engine: str) -> None:
    topology = beside({"executed": MORE[engine[:7]]}, {"link": link(engine, "replica", lag_seconds=40)}, engine)
    (finding,) = evaluate(topology, POLICY)
    assert "transactions behind: " in finding.reason
    behind = topology.transactions_behind(topology.servers[1])
    assert behind is not None
    assert behind > 200_000


UUID = "a21c7b79-e82c-11f1-9c76-0242ac170006"
MORE: dict[str, Gtids] = {
    "mariadb": MariaDBGtids.parse("0-1-300000"),
    "mysql_9": MySQLGtids.parse(f"{UUID}:1-300000").union(status("mysql_9_7", "primary").executed),
}


@every_engine
@pytest.mark.parametrize("io_thread", [ThreadState.STOPPED, ThreadState.CONNECTING])
def test_what_the_source_has_purged_and_a_replica_lacks_is_a_finding(engine: str, io_thread: ThreadState) -> None:
    away = {"link": link(engine, "replica", io_thread=io_thread)}
    found = evaluate(beside({"purged": MORE[engine[:7]], "executed": MORE[engine[:7]]}, away, engine), POLICY)
    assert set(names(found)) == {"thread_stopped", "purged_transactions_needed"}
    reason = next(finding.reason for finding in found if finding.name == "purged_transactions_needed")
    assert "db1 has purged " in reason


@every_engine
def test_a_source_keeps_what_a_running_link_reads(engine: str) -> None:
    assert evaluate(beside({"purged": MORE[engine[:7]], "executed": MORE[engine[:7]]}, {}, engine), POLICY) == ()


@every_engine
def test_purged_transactions_that_a_replica_has_are_not_needed(engine: str) -> None:
    stopped = {"link": link(engine, "replica", io_thread=ThreadState.STOPPED)}
    found = evaluate(beside({"purged": status(engine, "replica").executed}, stopped, engine), POLICY)
    assert names(found) == ["thread_stopped"]


@every_engine
@pytest.mark.parametrize(
    ("kept", "found"), [(0, []), (86_400, []), (86_399, ["retention_too_short"])], ids=["for ever", "enough", "less"]
)
def test_binary_logs_are_kept_for_the_longest_outage(engine: str, kept: int, found: list[str]) -> None:
    topology = beside({"binlog_retention_seconds": kept}, {"binlog_retention_seconds": 0}, engine)
    assert names(evaluate(topology, asking(longest_outage=86_400))) == found
    assert evaluate(topology, POLICY) == ()


DEGRADED: list[tuple[str, SemiSync, str]] = [
    ("fallen back", semi_sync(source_active=False, acknowledging_replicas=0), "commits no longer wait for a replica"),
    (
        "MariaDB without a replica calls itself active",
        semi_sync(acknowledging_replicas=0, waits_without_replica=False),
        "commits no longer wait for a replica",
    ),
    ("waits", semi_sync(acknowledging_replicas=0), "commits wait up to 1 s, because 0 of 1 replicas acknowledge"),
]


@every_engine
@pytest.mark.parametrize(("state", "words"), [case[1:] for case in DEGRADED], ids=[case[0] for case in DEGRADED])
def test_degraded_semi_sync_is_a_finding(engine: str, state: SemiSync, words: str) -> None:
    (finding,) = evaluate(beside({"semi_sync": state}, {"semi_sync": ACKNOWLEDGING}, engine), POLICY)
    assert (finding.name, finding.server, finding.severity) == ("semi_sync_degraded", "db1", Severity.CRITICAL)
    assert words in finding.reason


@every_engine
def test_semi_sync_that_works_is_no_finding(engine: str) -> None:
    both = beside({"semi_sync": semi_sync()}, {"semi_sync": ACKNOWLEDGING}, engine)
    assert evaluate(both, asking(semi_sync_required=True)) == ()


@every_engine
def test_a_stranger_that_acknowledges_is_a_finding_and_one_that_only_reads_is_not(engine: str) -> None:
    def connected(acknowledging: int) -> Topology:
        hosts = (*status(engine, "primary").connected_replicas, "10.66.66.66")
        state = semi_sync(acknowledging_replicas=acknowledging)
        return beside({"semi_sync": state, "connected_replicas": hosts}, {"semi_sync": ACKNOWLEDGING}, engine)

    (finding,) = evaluate(connected(acknowledging=2), POLICY)
    assert (finding.name, finding.server, finding.severity) == ("stranger_acknowledges", "db1", Severity.CRITICAL)
    assert finding.reason.startswith("10.66.66.66 replicates from it and acknowledges commits")
    assert evaluate(connected(acknowledging=1), POLICY) == ()


@every_engine
@pytest.mark.parametrize("state", [None, semi_sync(source_enabled=False)], ids=["not loaded", "off"])
def test_semi_sync_that_is_off_is_a_finding_where_it_is_asked_for(engine: str, state: SemiSync | None) -> None:
    off = beside({"semi_sync": state}, {"semi_sync": state and ACKNOWLEDGING}, engine)
    assert evaluate(off, POLICY) == ()
    assert names(evaluate(off, asking(semi_sync_required=True))) == ["semi_sync_degraded"]


@every_engine
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (semi_sync(acknowledging_replicas=0, replica_active=True), "its own applier waits"),
        (dataclasses.replace(ACKNOWLEDGING, replica_active=False), "set up to acknowledge and does not"),
    ],
    ids=["set up as a primary", "does not acknowledge"],
)
def test_a_replica_that_does_not_play_its_part_is_a_finding(engine: str, state: SemiSync, words: str) -> None:
    (finding,) = evaluate(beside({"semi_sync": semi_sync()}, {"semi_sync": state}, engine), POLICY)
    assert (finding.name, finding.server) == ("semi_sync_degraded", "db2")
    assert words in finding.reason


@every_engine
@pytest.mark.parametrize(
    ("version", "expected"),
    [("11.4.1-MariaDB", ["unequal_versions"]), ("12.3.0", []), ("12.3.9", []), ("13.1", [])],
    ids=["older", "equal", "a later patch", "newer"],
)
def test_a_replica_must_not_be_older_than_its_source(engine: str, version: str, expected: list[str]) -> None:
    assert names(evaluate(beside({"version": "12.3.4-x"}, {"version": version}, engine), POLICY)) == expected


def test_servers_of_two_engines_are_not_one_topology() -> None:
    host = link("mysql_9_7", "replica").host
    mixed = Topology(
        (
            Server(name="db1", addresses=frozenset({host}), status=status("mariadb_11_8", "primary")),
            Server(name="db2", status=status("mysql_9_7", "replica")),
        )
    )
    assert names(evaluate(mixed, POLICY)) == ["unequal_versions"]


def test_a_shared_uuid_is_a_finding_of_its_own() -> None:
    uuid = status("mysql_9_7", "primary").server_uuid
    found = evaluate(Topology(tuple(servers("mysql_9_7", server_uuid=uuid))), POLICY)
    assert names(found) == ["duplicate_server_uuid"]
    assert "auto.cnf" in found[0].action


def at(engine: str, *offsets: tuple[float, float]) -> Topology:
    clocks = [ClockOffset(least=least, most=most) for least, most in offsets]
    return Topology(
        tuple(dataclasses.replace(one, clock=clock) for one, clock in zip(servers(engine), clocks, strict=True))
    )


SKEWS: list[tuple[str, tuple[float, float], tuple[float, float], list[tuple[str, str]]]] = [
    ("together", (-0.1, 0.1), (-0.1, 0.1), []),
    ("ten minutes ahead", (-0.1, 0.1), (599.9, 600.1), [("db2", "at least 599.8 s ahead of db1's")]),
    ("ten minutes behind", (-0.1, 0.1), (-600.1, -599.9), [("db2", "at least 599.8 s behind db1's")]),
    ("a slow answer", (-0.1, 0.1), (-9.0, 0.0), []),
    (
        "both away from here",
        (600.0, 600.1),
        (600.0, 600.1),
        [("db1", "ahead of this host's"), ("db2", "ahead of this host's")],
    ),
]


@every_engine
@pytest.mark.parametrize(("one", "two", "expected"), [case[1:] for case in SKEWS], ids=[case[0] for case in SKEWS])
def test_a_clock_is_off_only_by_what_the_question_did_not_take(
    engine: str, one: tuple[float, float], two: tuple[float, float], expected: list[tuple[str, str]]
) -> None:
    found = evaluate(at(engine, one, two), POLICY)
    assert [(finding.name, finding.server) for finding in found] == [
        ("clock_skew", server) for server, _words in expected
    ]
    assert all(words in finding.reason for finding, (_server, words) in zip(found, expected, strict=True))


def test_the_clock_may_be_allowed_more() -> None:
    assert evaluate(at("mysql_9_7", (0, 0), (9, 9)), asking(max_clock_skew=10.0)) == ()


@every_engine
def test_a_status_that_hangs_is_a_finding_and_what_it_hides_is_none(engine: str) -> None:
    asked = session(engine, "hanging")
    hanging = asked.dialect.read_what_answers(asked, "SHOW SLAVE STATUS")
    one, two = servers(engine)
    found = evaluate(Topology((one, dataclasses.replace(two, status=hanging))), asking(max_heartbeat_age=5))
    assert [(finding.name, finding.server) for finding in found] == [("status_hangs", "db2")]
    assert "it does not answer SHOW SLAVE STATUS" in found[0].reason
    assert "disk" in found[0].action


@every_engine
def test_a_server_that_lets_in_and_does_not_answer_hangs(engine: str) -> None:
    one, _two = servers(engine)
    silent = Server(name="db2", status=None, problem="it took SELECT and did not answer", hangs=True)
    (finding,) = evaluate(Topology((one, silent)), POLICY)
    assert finding.name == "status_hangs"


@every_engine
def test_a_set_of_ten_thousand_intervals_is_not_told_in_full(engine: str) -> None:
    many: Gtids = MySQLGtids.parse(f"{UUID}:" + ":".join(str(number * 2) for number in range(1, 10_000)))
    if engine.startswith("mariadb"):
        many = MariaDBGtids.parse(",".join(f"{domain}-9-1" for domain in range(1, 10_000)))
    found = evaluate(beside({}, {"executed": many}, engine), POLICY)
    (errant,) = [finding for finding in found if finding.name == "errant_transactions"]
    assert len(errant.reason) < 300


def test_every_rule_has_a_name_of_its_own_and_advice() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.action for rule in RULES)
