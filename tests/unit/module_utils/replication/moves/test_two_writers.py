# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.failover import (
    FailoverIntent,
    plan_failover,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.rollback import plan_rollback
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.steps import (
    Act,
    MovePlan,
    MoveStep,
    Stage,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.switchover import (
    SwitchoverIntent,
    plan_switchover,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology

from .building import gone, primary, replica, status, trio

NAMES = ("db1", "db2", "db3")


class World:
    """Servers of which each is open or closed, and steps that fail, after having been done or not."""

    def __init__(self, topology: Topology, chance: random.Random, failing: float) -> None:
        self.open = {server.name: not server.status.read_only for server in topology.servers if server.status}
        self.chance = chance
        self.failing = failing
        self.tried: list[MoveStep] = []
        self.done: list[MoveStep] = []
        self.most_open = self.count()

    def count(self) -> int:
        return sum(self.open.values())

    def run(self, stage: Stage) -> bool:
        """Run the lanes in any order between each other; tell whether all went well."""
        lanes = [list(lane) for lane in stage.lanes]
        well = True
        while any(lanes):
            lane = self.chance.choice([lane for lane in lanes if lane])
            if not self.step(lane.pop(0)):
                lane.clear()
                well = False
        return well

    def step(self, step: MoveStep) -> bool:
        fails = self.chance.random() < self.failing
        if not fails or self.chance.random() < 0.5:  # an answer that got lost
            self.take_effect(step)
        self.tried.append(step)
        if not fails:
            self.done.append(step)
        return not fails

    def take_effect(self, step: MoveStep) -> None:
        if step.act in (Act.OPEN_WRITES, Act.CLOSE_WRITES):
            self.open[step.server] = step.act is Act.OPEN_WRITES
            self.most_open = max(self.most_open, self.count())

    def carry_out(self, plan: MovePlan) -> None:
        for stage in plan.stages:
            if not self.run(stage) and not any(step.act is Act.OPEN_WRITES for step in self.done):
                for back in plan_rollback(plan, self.tried, self.done):
                    if not self.run(back):
                        return
                return


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Make three servers, of which at most one takes writes, in any state a killed run may leave."""
    writer = draw(st.sampled_from([*NAMES, None]))
    servers: list[Server] = []
    for name in NAMES:
        kind = draw(st.sampled_from(["alone", "gone", *(other for other in NAMES if other != name)]))
        closed = name != writer
        executed = draw(st.integers(8, 11))
        if kind == "gone" and closed:
            servers.append(gone(name))
        elif kind in ("alone", "gone"):
            servers.append(Server(name=name, status=status(read_only=closed, executed=executed)))
        else:
            states = {
                "link_io_thread": draw(st.sampled_from(ThreadState)),
                "link_sql_thread": draw(st.sampled_from(ThreadState)),
                "link_established": draw(st.booleans()),
                "link_received": draw(st.integers(executed, 12)),
            }
            servers.append(replica(name, source=kind, read_only=closed, executed=executed, **states))
    return Topology(tuple(servers))


targets = st.sampled_from([*NAMES, None])


def plans_of(topology: Topology, target: str | None, *, force: bool) -> list[MovePlan]:
    decisions: list[t.Any] = [
        plan_switchover(topology, SwitchoverIntent(target=target, force=force)),
        plan_failover(topology, FailoverIntent(target=target, force=force)),
    ]
    return [decision for decision in decisions if isinstance(decision, MovePlan)]


states = st.one_of(st.just(trio()), topologies())


@given(states, targets, st.booleans(), st.randoms(use_true_random=False), st.sampled_from([0.02, 0.1, 0.4]))
def test_no_plan_ever_leaves_two_writers(
    topology: Topology, target: str | None, force: bool, chance: random.Random, failing: float
) -> None:
    for plan in plans_of(topology, target, force=force):
        world = World(topology, chance, failing)
        world.carry_out(plan)
        assert world.most_open <= 1


@given(states, targets, st.booleans(), st.randoms(use_true_random=False))
def test_a_plan_without_failures_ends_with_one_writer(
    topology: Topology, target: str | None, force: bool, chance: random.Random
) -> None:
    for plan in plans_of(topology, target, force=force):
        world = World(topology, chance, failing=0)
        world.carry_out(plan)
        assert [name for name, is_open in world.open.items() if is_open] == [plan.primary]


SWITCHOVER = t.cast("MovePlan", plan_switchover(trio(), SwitchoverIntent()))
OPENING = next(number for number, step in enumerate(SWITCHOVER.steps) if step.act is Act.OPEN_WRITES)
CLOSING = next(number for number, step in enumerate(SWITCHOVER.steps) if step.act is Act.CLOSE_WRITES)


@pytest.mark.parametrize("takes_effect", [True, False], ids=["its answer is lost", "it is not done"])
@pytest.mark.parametrize("number", range(CLOSING, OPENING + 1), ids=lambda number: SWITCHOVER.steps[number].act.value)
def test_a_failed_move_ends_with_the_old_primary_open(number: int, takes_effect: bool) -> None:
    world = World(trio(), random.Random(1), failing=0)
    for step in SWITCHOVER.steps[:number]:
        world.step(step)
    failing = SWITCHOVER.steps[number]
    world.tried.append(failing)
    if takes_effect:
        world.take_effect(failing)
    for stage in plan_rollback(SWITCHOVER, world.tried, world.done):
        assert world.run(stage)
    assert world.open == {"db1": True, "db2": False, "db3": False}
    assert world.most_open == 1


def test_a_target_that_was_never_opened_need_not_be_closed_again() -> None:
    """It may be dead: writes go on at the old primary all the same."""
    way_back = plan_rollback(SWITCHOVER, SWITCHOVER.steps[: CLOSING + 1], SWITCHOVER.steps[:CLOSING])
    assert {step.server for stage in way_back for step in stage.steps} == {"db1"}


def test_a_target_that_may_have_taken_writes_is_compared_before_the_old_primary_opens() -> None:
    way_back = plan_rollback(SWITCHOVER, SWITCHOVER.steps[: OPENING + 1], SWITCHOVER.steps[:OPENING])
    acts = [(step.server, step.act) for stage in way_back for step in stage.steps]
    compared = acts.index(("db1", Act.COMPARE_HISTORY))
    assert acts.index(("db2", Act.CLOSE_WRITES)) < compared < acts.index(("db1", Act.OPEN_WRITES))


def test_once_the_new_primary_is_open_there_is_no_way_back() -> None:
    plan = plan_switchover(Topology((primary(), replica("db2"))), SwitchoverIntent())
    assert isinstance(plan, MovePlan)
    assert plan_rollback(plan, plan.steps, plan.steps) == ()


def test_what_was_not_closed_needs_no_way_back() -> None:
    plan = plan_switchover(trio(), SwitchoverIntent())
    assert isinstance(plan, MovePlan)
    assert plan_rollback(plan, plan.stages[0].steps, ()) == ()
