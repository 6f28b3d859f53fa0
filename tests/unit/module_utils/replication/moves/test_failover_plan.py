# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.failover import (
    Doubt,
    FailoverIntent,
    PastMove,
    plan_failover,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.steps import Act, MovePlan
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Beat, ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Refusal
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Topology

from .building import BROKEN, ENGINES, SILENT, gone, primary, replica, trio

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Engine
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.value)
JUST_NOW = PastMove(kind="failover", primary="db1", seconds_ago=60)


def headless(engine: Engine = ENGINES[0], two: int = 10, three: int = 10, **changes: t.Any) -> Topology:
    silent = {**SILENT, **changes}
    second = replica("db2", engine, executed=8, link_received=two, **silent)
    third = replica("db3", engine, executed=8, link_received=three, **silent)
    return Topology((gone(), second, third))


def plan(topology: Topology, **intent: t.Any) -> MovePlan:
    decision = plan_failover(topology, FailoverIntent(**intent))
    assert isinstance(decision, MovePlan), decision
    return decision


def refusal(topology: Topology, **intent: t.Any) -> str:
    decision = plan_failover(topology, FailoverIntent(**intent))
    assert isinstance(decision, Refusal), decision
    assert "Nothing was changed" in decision.reason
    return decision.reason


def order(moving: MovePlan) -> list[tuple[str, Act]]:
    return [(step.server, step.act) for step in moving.steps]


@every_engine
def test_the_replica_that_has_received_the_most_applies_it_and_takes_over(engine: Engine) -> None:
    moving = plan(headless(engine, two=10, three=12))
    assert (moving.former, moving.primary) == ("db1", "db3")
    done = order(moving)
    assert done.index(("db2", Act.STOP_RECEIVING)) < done.index(("db3", Act.APPLY_RECEIVED))
    assert done.index(("db3", Act.APPLY_RECEIVED)) < done.index(("db3", Act.OPEN_WRITES))
    assert {step.server: step.source for step in moving.steps if step.act is Act.FOLLOW} == {"db2": "db3"}


@every_engine
def test_a_named_target_first_fetches_what_only_another_one_has(engine: Engine) -> None:
    moving = plan(headless(engine, two=10, three=12), target="db2")
    assert moving.primary == "db2"
    assert [step.source for step in moving.steps if step.server == "db2" and step.act is Act.FOLLOW] == ["db3"]
    done = order(moving)
    assert done.index(("db3", Act.MARK_POSITION)) < done.index(("db2", Act.CATCH_UP))
    assert done.index(("db2", Act.CATCH_UP)) < done.index(("db2", Act.OPEN_WRITES))


@every_engine
def test_while_a_replica_hears_the_primary_it_is_not_gone(engine: Engine) -> None:
    decision = plan_failover(headless(engine, link_io_thread=ThreadState.RUNNING), FailoverIntent())
    assert isinstance(decision, Doubt)
    assert "db2, db3 still hears it" in decision.reason


@every_engine
def test_a_thread_that_runs_and_was_seen_to_receive_nothing_does_not_hear_it(engine: Engine) -> None:
    deaf = headless(engine, link_io_thread=ThreadState.RUNNING)
    assert plan(deaf, silent=frozenset({"db2", "db3"})).former == "db1"
    assert isinstance(plan_failover(deaf, FailoverIntent(silent=frozenset({"db2"}))), Doubt)


def test_an_old_heartbeat_alone_does_not_make_a_replica_deaf() -> None:
    """It may be late with applying what it receives, or its clock may be wrong."""
    late = headless(link_io_thread=ThreadState.RUNNING, heartbeat_age_seconds=400.0)
    assert isinstance(plan_failover(late, FailoverIntent()), Doubt)


def test_where_nothing_beats_silence_says_nothing() -> None:
    quiet = headless(link_io_thread=ThreadState.RUNNING, heartbeat_age_seconds=None)
    assert isinstance(plan_failover(quiet, FailoverIntent(silent=frozenset({"db2", "db3"}))), Doubt)


def test_what_only_a_broken_replica_has_received_is_not_left_behind() -> None:
    broken = replica("db3", executed=8, link_received=12, link_sql_error=BROKEN, **SILENT)
    servers = Topology((gone(), replica("db2", executed=8, link_received=10, **SILENT), broken))
    assert "db3 has what none of those has that can take over" in refusal(servers)
    assert "db3 has what none of those has that can take over" in refusal(servers, frozen=True)
    assert plan(servers, force=True).primary == "db2"
    equal = Topology((gone(), replica("db2", executed=12, **SILENT), broken))
    assert plan(equal).primary == "db2"


def test_an_old_primary_that_is_back_with_more_is_not_overlooked() -> None:
    """A run was killed after it had turned db3 to db2, which then died."""
    back = primary(read_only=True, executed=12)
    turned = replica("db3", source="db2", executed=10, link_established=False, **SILENT)
    assert "db1 has what none of those has" in refusal(Topology((back, gone("db2"), turned)))


REFUSED: list[tuple[str, str, Topology, dict[str, t.Any]]] = [
    ("it answers", "db1 answers: it takes writes", trio(), {}),
    (
        "it is up again",
        "db1 answers: it is up again and closed",
        Topology((primary(read_only=True), replica("db2"))),
        {},
    ),
    (
        "another one is missing",
        "db3 cannot be asked either",
        Topology((gone(), replica("db2", **SILENT), gone("db3"))),
        {},
    ),
    ("soon after another one", "The last failover, to db1, was 60 s ago", headless(), {"last": JUST_NOW}),
]


@pytest.mark.parametrize(
    ("words", "servers", "intent"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_an_operator_may_know_better_is_refused_and_can_be_forced(
    words: str, servers: Topology, intent: dict[str, t.Any]
) -> None:
    assert words in refusal(servers, **intent)
    assert plan(servers, force=True, **intent).former == "db1"


@every_engine
def test_a_primary_that_came_back_closed_without_what_a_replica_has_is_left(engine: Engine) -> None:
    """MariaDB drops at a crash what it had told clients to be safe, and its replicas have."""
    crashed = primary(engine, executed=9, read_only=True)
    moving = plan(Topology((crashed, replica("db2", engine, executed=10), replica("db3", engine, executed=10))))
    assert (moving.former, moving.primary) == ("db1", "db2")
    assert ("db1", Act.CLOSE_WRITES) in order(moving)


def test_a_replica_that_cannot_be_asked_may_have_more_than_one_that_has_overtaken_the_primary() -> None:
    crashed = primary(executed=9, read_only=True)
    assert "db3 cannot be asked" in refusal(Topology((crashed, replica("db2", executed=10), gone("db3"))))


def test_a_primary_that_answers_is_closed_first_when_forced() -> None:
    done = order(plan(trio(), force=True))
    assert done.index(("db1", Act.CLOSE_WRITES)) < done.index(("db2", Act.OPEN_WRITES))


def test_a_switchover_before_does_not_block() -> None:
    moved = PastMove(kind="switchover", primary="db1", seconds_ago=1)
    assert plan(headless(), last=moved).former == "db1"


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("No replica is fit to take over: the SQL thread of db2 is stopped: Duplicate", {}),
        ("db9 is none of the servers", {"target": "db9"}),
    ],
    ids=["nobody", "unknown"],
)
def test_a_replica_that_cannot_apply_is_not_elected(words: str, intent: dict[str, t.Any]) -> None:
    servers = headless(link_sql_thread=ThreadState.STOPPED, link_sql_error=BROKEN)
    assert words in refusal(servers, force=True, **intent)


def test_a_named_target_that_cannot_apply_is_refused() -> None:
    broken = replica("db2", link_sql_thread=ThreadState.STOPPED, link_sql_error=BROKEN, **SILENT)
    servers = Topology((gone(), broken, replica("db3", **SILENT)))
    assert "db2 is not fit to take over: the SQL thread" in refusal(servers, target="db2")
    assert plan(servers).primary == "db3"


def test_an_applier_that_was_stopped_by_hand_is_started_for_what_it_has_received() -> None:
    stopped = headless(link_sql_thread=ThreadState.STOPPED)
    assert ("db2", Act.START_REPLICATION) in order(plan(stopped))[:2]


def test_without_an_agreement_on_who_is_gone_nobody_takes_over() -> None:
    servers = Topology((gone(), gone("db2"), replica("db3", **SILENT), replica("db4", source="db2", **SILENT)))
    assert "do not agree" in refusal(servers)


def test_a_server_that_a_killed_run_has_opened_gathers_the_others() -> None:
    opened = replica("db2", read_only=False, link_io_thread=ThreadState.STOPPED, link_sql_thread=ThreadState.STOPPED)
    moving = plan(Topology((gone(), opened, replica("db3", **SILENT))))
    assert (moving.former, moving.primary) == (None, "db2")
    assert {step.server for step in moving.steps if step.act is Act.FOLLOW} == {"db3"}


def test_a_server_that_a_killed_run_has_turned_still_counts() -> None:
    turned = replica("db3", source="db2", link_established=False, **SILENT)
    moving = plan(Topology((gone(), replica("db2", **SILENT), turned)), target="db2")
    assert {step.server for step in moving.steps if step.act is Act.FOLLOW} == {"db3"}


def test_two_that_a_killed_run_left_following_each_other_still_lack_the_one_that_is_gone() -> None:
    stopped = {"link_io_thread": ThreadState.STOPPED, "link_sql_thread": ThreadState.STOPPED}
    circle = (replica("db2", source="db3", **stopped), replica("db3", source="db2", **stopped))
    assert (plan(Topology((gone(), *circle))).former, plan(Topology((gone(), *circle))).primary) == ("db1", "db2")
    assert "do not agree" in refusal(Topology((gone("db0"), gone(), *circle)))
    assert plan(Topology((gone("db0"), gone(), *circle)), force=True).primary == "db2"
    assert "do not agree" in refusal(Topology(circle))


def test_beside_a_circle_a_server_that_follows_nobody_may_be_the_one() -> None:
    stopped = {"link_io_thread": ThreadState.STOPPED, "link_sql_thread": ThreadState.STOPPED}
    circle = (replica("db2", source="db3", **stopped), replica("db3", source="db2", **stopped))
    back = primary(read_only=True)
    assert "db1 answers: it is up again and closed" in refusal(Topology((back, *circle)))
    assert "do not agree" in refusal(Topology((back, *circle, gone("db4"))))


def beat(server_id: int, age: float) -> Beat:
    return Beat(server_id=server_id, age_seconds=age, commit_wait_seconds=None, acknowledging_replicas=1)


@every_engine
@pytest.mark.parametrize("target", [None, "db1"])
def test_a_failover_that_has_done_everything_already_has_nothing_to_do(engine: Engine, target: str | None) -> None:
    new = primary(engine, server_id=1, beat_of_another=beat(9, age=30))
    moving = plan(Topology((gone("db9"), new, replica("db2", engine, server_id=2))), target=target)
    assert (moving.primary, moving.stages) == ("db1", ())


@pytest.mark.parametrize(
    ("last", "others"),
    [
        (None, (gone("db9"),)),
        (beat(9, age=30), ()),
        (beat(9, age=3600), (gone("db9"),)),
        (beat(2, age=30), (gone("db9"),)),
    ],
    ids=["nobody was before it", "nobody is gone", "long ago", "who was before it follows it"],
)
def test_a_primary_that_replaced_nobody_who_is_gone_is_not_taken_for_the_new_one(
    last: Beat | None, others: tuple[Server, ...]
) -> None:
    servers = Topology((primary(server_id=1, beat_of_another=last), replica("db2", server_id=2), *others))
    assert "db1 answers: it takes writes" in refusal(servers)


def test_a_new_primary_is_replaced_when_an_operator_forces_it_or_names_another_one() -> None:
    new = primary(server_id=1, beat_of_another=beat(9, age=30))
    servers = Topology((gone("db9"), new, replica("db2", server_id=2)))
    assert "db1 answers" in refusal(servers, target="db2")
    assert plan(servers, force=True).primary == "db2"
