# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.steps import Act, MovePlan
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.switchover import (
    SwitchoverIntent,
    plan_switchover,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.transactions import OpenTransaction
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Refusal
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology

from .building import BROKEN, ENGINES, gone, history, primary, replica, status, trio

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Engine

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.value)
STOPPED = ThreadState.STOPPED


def plan(topology: Topology, **intent: t.Any) -> MovePlan:
    decision = plan_switchover(topology, SwitchoverIntent(**intent))
    assert isinstance(decision, MovePlan), decision
    return decision


def refusal(topology: Topology, **intent: t.Any) -> str:
    decision = plan_switchover(topology, SwitchoverIntent(**intent))
    assert isinstance(decision, Refusal), decision
    assert "Nothing was changed" in decision.reason
    assert "What to do: " in decision.reason
    return decision.reason


def acts(moving: MovePlan, server: str) -> list[Act]:
    return [step.act for step in moving.steps if step.server == server]


def followed(moving: MovePlan) -> dict[str, str]:
    following = (Act.FOLLOW, Act.FOLLOW_AS_FORMER_PRIMARY)
    return {step.server: str(step.source) for step in moving.steps if step.act in following}


@every_engine
def test_the_writes_close_before_the_target_opens_and_all_follow_it(engine: Engine) -> None:
    moving = plan(trio(engine))
    assert (moving.former, moving.primary) == ("db1", "db2")
    order = [(step.server, step.act) for step in moving.steps]
    assert order.index(("db1", Act.CLOSE_WRITES)) < order.index(("db2", Act.CATCH_UP))
    assert order.index(("db2", Act.CATCH_UP)) < order.index(("db2", Act.OPEN_WRITES))
    assert followed(moving) == {"db1": "db2", "db3": "db2"}


@every_engine
def test_the_nearest_replica_is_chosen_and_a_named_one_is_taken_instead(engine: Engine) -> None:
    servers = Topology((primary(engine), replica("db2", engine, executed=8), replica("db3", engine, executed=9)))
    assert plan(servers).primary == "db3"
    assert plan(servers, target="db2").primary == "db2"


@every_engine
def test_commits_wait_on_the_target_before_it_opens_and_no_longer_on_the_old_one(engine: Engine) -> None:
    moving = plan(trio(engine))
    target = acts(moving, "db2")
    assert target.index(Act.WAIT_IN_COMMITS) < target.index(Act.OPEN_WRITES)
    former = acts(moving, "db1")
    assert former.index(Act.STOP_WAITING_IN_COMMITS) < former.index(Act.START_REPLICATION)


UNFIT: list[tuple[str, str, dict[str, t.Any]]] = [
    ("applier stopped", "SQL thread is stopped: Duplicate", {"link_sql_thread": STOPPED, "link_sql_error": BROKEN}),
    ("receiver stopped", "IO thread is stopped", {"link_io_thread": STOPPED}),
    ("lag", "9.0 s behind, allowed are 5 s", {"link_lag_seconds": 9}),
    ("lag of the heartbeat", "19.5 s behind", {"heartbeat_age_seconds": 20.0}),
    ("errant", "has transactions that db1 lacks", {"executed": 11}),
    ("disk full", "waits for space", {"link_waits_for_disk": True}),
    ("hangs", "does not answer SHOW", {"unread": "SHOW SLAVE STATUS"}),
    ("no history", "no complete GTID history", {"log_bin": False}),
    ("follows another one", "follows elsewhere:3306, and not db1", {"link_host": "elsewhere"}),
]


@every_engine
@pytest.mark.parametrize(("words", "changes"), [case[1:] for case in UNFIT], ids=[case[0] for case in UNFIT])
def test_a_target_that_is_not_fit_is_refused(engine: Engine, words: str, changes: dict[str, t.Any]) -> None:
    servers = Topology((primary(engine), replica("db2", engine, **changes)))
    assert words in refusal(servers, target="db2")


def test_without_a_name_and_without_a_fit_replica_all_reasons_are_told() -> None:
    broken: dict[str, t.Any] = {"link_sql_thread": STOPPED, "link_sql_error": BROKEN}
    servers = Topology((primary(), replica("db2", **broken), replica("db3", executed=11)))
    told = refusal(servers)
    assert "No replica is fit to take over: db2 does not replicate" in told
    assert "db3 has transactions that db1 lacks" in told


@every_engine
def test_a_broken_replica_is_left_behind_only_by_force(engine: Engine) -> None:
    broken = replica("db3", engine, link_sql_thread=STOPPED, link_sql_error=BROKEN)
    servers = Topology((primary(engine), replica("db2", engine), broken))
    assert "Not all replicas could follow db2: db3" in refusal(servers)
    assert followed(plan(servers, force=True)) == {"db1": "db2"}


@every_engine
def test_a_target_that_has_purged_what_another_replica_needs_is_refused(engine: Engine) -> None:
    target = replica("db2", engine, purged=history(engine, 8))
    servers = Topology((primary(engine), target, replica("db3", engine, executed=5)))
    assert "db2 has purged what db3 still needs" in refusal(servers, target="db2")


def test_a_transaction_that_does_not_end_is_refused_or_ended() -> None:
    waiting = (OpenTransaction(connection=7, user="app", seconds=90),)
    assert "connection 7 of app, open for 90 s" in refusal(trio(), transactions=waiting)
    ended = acts(plan(trio(), transactions=waiting, kill_transactions=True), "db1")
    assert ended.index(Act.END_TRANSACTIONS) < ended.index(Act.CLOSE_WRITES)
    assert Act.END_TRANSACTIONS not in acts(plan(trio()), "db1")


def test_two_open_servers_are_refused() -> None:
    assert "db1, db2 all take writes" in refusal(Topology((primary(), primary(name="db2"))))


def test_an_unknown_target_is_refused() -> None:
    assert "db9 is none of the servers" in refusal(trio(), target="db9")


def test_a_target_that_is_the_primary_leaves_nothing_to_do() -> None:
    assert plan(trio(), target="db1").stages == ()


@every_engine
def test_a_primary_that_a_killed_run_has_closed_is_still_the_one_to_leave(engine: Engine) -> None:
    moving = plan(Topology((primary(engine, read_only=True), replica("db2", engine))))
    assert (moving.former, moving.primary) == ("db1", "db2")


@every_engine
def test_a_server_with_everything_is_opened_where_a_killed_run_has_left_none(engine: Engine) -> None:
    stopped: dict[str, t.Any] = {"link_io_thread": STOPPED, "link_sql_thread": STOPPED}
    servers = Topology((primary(engine, read_only=True), replica("db2", engine, **stopped), replica("db3", engine)))
    moving = plan(servers, target="db2")
    assert (moving.former, moving.primary) == (None, "db2")
    assert followed(moving) == {"db1": "db2", "db3": "db2"}


@every_engine
def test_a_server_that_lacks_something_is_not_opened(engine: Engine) -> None:
    stopped: dict[str, t.Any] = {"link_io_thread": STOPPED, "link_sql_thread": STOPPED}
    servers = Topology((primary(engine, read_only=True), replica("db2", engine, executed=9, **stopped)))
    assert "of these servers db1 has everything" in refusal(servers, target="db2")
    away = Topology((gone(), replica("db2", engine, source="db3"), replica("db3", engine, source="db2")))
    assert "db1 cannot be asked" in refusal(away)


@every_engine
def test_those_that_a_killed_run_has_left_are_brought_behind_the_primary(engine: Engine) -> None:
    half_open = replica("db2", engine, executed=12, read_only=False, link_io_thread=STOPPED, link_sql_thread=STOPPED)
    left = Server(name="db1", status=status(engine))
    never_started = replica("db3", engine, source="db2", link_established=False, link_sql_thread=STOPPED)
    moving = plan(Topology((left, half_open, never_started)))
    assert (moving.former, moving.primary) == (None, "db2")
    assert followed(moving) == {"db1": "db2", "db3": "db2"}
    assert Act.FORGET_SOURCE in acts(moving, "db2")


def test_an_open_server_that_cannot_say_whether_it_has_a_source_forgets_it() -> None:
    waiting = primary(name="db2", unread="SHOW BINLOG EVENTS")
    left = replica("db3", source="db1")
    assert Act.FORGET_SOURCE in acts(plan(Topology((waiting, left)), target="db2"), "db2")


def test_one_with_a_history_of_its_own_is_not_brought_behind_the_primary() -> None:
    own = history(ENGINES[0], 11, origin=9)
    left = Server(name="db1", status=dataclasses.replace(status(), executed=own))
    assert "has transactions that db2 lacks" in refusal(Topology((left, primary(name="db2"))), target="db2")


def test_a_replica_that_somebody_has_opened_is_not_taken_for_a_killed_run() -> None:
    opened = replica("db2", read_only=False)
    assert "db2" in refusal(Topology((primary(read_only=True, executed=8), opened)))
