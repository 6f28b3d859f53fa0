# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to be lost, and by what that is known: the last heartbeat of a primary that is gone."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.gathering import plan_gathering
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.loss import judge_loss
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.steps import MovePlan
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Beat, Engine
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Topology
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.moves.building import (
    SILENT,
    gone,
    primary,
    replica,
    trio,
)

every_engine = pytest.mark.parametrize("engine", list(Engine), ids=lambda engine: engine.value)


def beat(age: float = 1.5, wait: float | None = 4_294_967, acknowledging: int | None = 2) -> Beat:
    return Beat(server_id=1, age_seconds=age, commit_wait_seconds=wait, acknowledging_replicas=acknowledging)


def headless(last: Beat | None, engine: Engine = Engine.MARIADB, **changes: t.Any) -> Topology:
    replicas = (replica(name, engine, beat_of_another=last, **SILENT, **changes) for name in ("db2", "db3"))
    return Topology((gone(), *replicas))


@every_engine
def test_a_primary_whose_commits_waited_for_longer_than_it_is_gone_has_lost_nothing(engine: Engine) -> None:
    loss = judge_loss(headless(beat(), engine), "db1")
    assert (loss.certain, loss.transactions) == (True, 0)
    assert "its commits waited up to 50 days for a replica" in loss.reason
    assert "when it wrote its last heartbeat that has arrived, 1.5 s ago" in loss.reason
    assert "everything that db2, db3 had received was kept" in loss.reason


UNCERTAIN = {
    "it did not wait": (beat(wait=None), "did not wait for a replica"),
    "nobody was there to acknowledge": (beat(acknowledging=0), "did not wait for a replica"),
    "its plugins were not loaded": (beat(wait=None, acknowledging=None), "did not wait for a replica"),
    "a stranger acknowledged": (beat(acknowledging=3), "3 servers acknowledged"),
    "it may have gone on alone": (beat(age=30, wait=1), "may have gone on alone"),
    "only the clocks speak for it": (beat(age=1, wait=2), "may have gone on alone"),
    "no heartbeat": (None, "no heartbeat of it has arrived"),
}


@pytest.mark.parametrize(("last", "words"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_otherwise_it_is_said_why_that_cannot_be_known(last: Beat | None, words: str) -> None:
    loss = judge_loss(headless(last), "db1")
    assert (loss.certain, loss.transactions) == (False, None)
    assert "cannot be counted while db1 is away" in loss.reason
    assert words in loss.reason


def test_the_newest_heartbeat_that_anybody_has_counts() -> None:
    late = replica("db2", beat_of_another=beat(age=9), **SILENT)
    newest = replica("db3", beat_of_another=beat(age=2, wait=None), **SILENT)
    assert "2.0 s ago" in judge_loss(Topology((gone(), late, newest)), "db1").reason


def test_a_replica_that_was_not_asked_may_have_acknowledged_alone() -> None:
    loss = judge_loss(Topology((gone(), replica("db2", beat_of_another=beat(), **SILENT), gone("db3"))), "db1")
    assert not loss.certain
    assert "db3 could not be asked" in loss.reason


@every_engine
def test_a_primary_that_can_be_asked_is_counted(engine: Engine) -> None:
    alone = Topology((primary(engine, executed=13), replica("db2", engine, executed=10)))
    loss = judge_loss(alone, "db1")
    assert (loss.certain, loss.transactions) == (False, 3)
    assert judge_loss(trio(engine), "db1").certain


def test_what_was_received_counts_as_possessed() -> None:
    servers = Topology((primary(executed=12), replica("db2", executed=10, link_received=12)))
    assert judge_loss(servers, "db1").certain


def finished(*servers: t.Any) -> tuple[MovePlan, Topology]:
    topology = Topology(servers)
    decision = plan_gathering(topology, topology.servers[1])
    assert isinstance(decision, MovePlan)
    return decision, topology


def test_who_finishes_a_failover_says_whom_it_has_replaced_and_what_that_cost() -> None:
    """The replicas of the new primary have its heartbeats already: only it still shows the last one of the old."""
    opened = primary(name="db2", server_id=2, beat_of_another=beat(age=40))
    late = replica("db3", source="db1", server_id=3, beat_of_another=beat(age=0.1, wait=None))
    plan, topology = finished(gone(), opened, late)
    assert (plan.former, plan.predecessor) == (None, "db1")
    loss = judge_loss(topology, "db1", successor="db2")
    assert loss.certain
    assert "40.0 s ago" in loss.reason


def test_a_predecessor_that_answers_is_known_by_its_number() -> None:
    back = primary(name="db1", read_only=True, server_id=7)
    opened = primary(name="db2", server_id=2, beat_of_another=dataclasses.replace(beat(), server_id=7))
    plan, _topology = finished(back, opened, gone("db3"))
    assert plan.predecessor == "db1"


def test_a_predecessor_is_named_also_when_nothing_of_it_has_arrived() -> None:
    plan, topology = finished(gone(), primary(name="db2", server_id=2), replica("db3", source="db1", server_id=3))
    assert plan.predecessor == "db1"
    assert "no heartbeat of it has arrived" in judge_loss(topology, "db1", successor="db2").reason


def test_nobody_is_named_where_two_could_be_meant() -> None:
    opened = primary(name="db2", server_id=2, beat_of_another=beat())
    plan, _topology = finished(gone(), opened, gone("db3"), replica("db4", source="db1", server_id=4))
    assert plan.predecessor is None
