# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.convergence import (
    Patience,
    PrimarySettings,
    make_primary,
    make_replica,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.plan import plan_primary, plan_replica
from ansible_collections.webinfra.stack.plugins.module_utils._replication.prediction import predicted
from ansible_collections.webinfra.stack.plugins.module_utils._replication.semi_sync import (
    JUST_LOADED,
    NO_LOSS_TIMEOUT_SECONDS,
    Durability,
    settings_of_primary,
    settings_of_replica,
    statements,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Action, Plan
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    answers,
    dialect,
    link,
    status,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.test_plan import settings, source

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import SemiSync, ServerStatus

every_engine = pytest.mark.parametrize("engine", ENGINES)
ACKNOWLEDGED = dataclasses.replace(JUST_LOADED, acknowledging_replicas=1)
WAITING = dataclasses.replace(
    JUST_LOADED,
    source_enabled=True,
    source_active=True,
    replica_enabled=True,
    timeout_seconds=NO_LOSS_TIMEOUT_SECONDS,
    acknowledging_replicas=1,
)
HEARD = dataclasses.replace(
    JUST_LOADED,
    replica_enabled=True,
    replica_active=True,
    waits_without_replica=False,
)


def steps(decision: object) -> list[Action]:
    assert isinstance(decision, Plan), decision
    return [step.action for step in decision.steps]


def plan_of_replica(engine: str, server: ServerStatus) -> list[Action]:
    wanted = settings_of_replica()
    decision = plan_replica(server, settings(engine), None, password_differs=False, repair=False, semi_sync=wanted)
    return steps(decision)


@pytest.mark.parametrize(
    ("have", "replicas", "enabled"),
    [
        (None, 2, False),
        (JUST_LOADED, 2, False),
        (ACKNOWLEDGED, 2, True),
        (ACKNOWLEDGED, None, True),
        (dataclasses.replace(WAITING, acknowledging_replicas=0), 2, True),
        (WAITING, 0, False),
    ],
    ids=["not loaded", "nobody there", "somebody there", "how many is not known", "all gone", "none meant"],
)
def test_commits_wait_once_somebody_acknowledges_and_go_on_doing_so(
    have: SemiSync | None, replicas: int | None, *, enabled: bool
) -> None:
    wanted = settings_of_primary(Durability.NO_LOSS, have, replicas=replicas)
    assert (wanted.source_enabled, wanted.waits_without_replica) == (enabled, enabled)


def test_availability_waits_for_a_moment_and_never_for_nobody() -> None:
    wanted = settings_of_primary(Durability.AVAILABLE, ACKNOWLEDGED, replicas=1)
    assert (wanted.source_enabled, wanted.timeout_seconds, wanted.waits_without_replica) == (True, 1.0, False)


def test_a_replica_acknowledges_and_never_waits() -> None:
    wanted = settings_of_replica()
    assert (wanted.source_enabled, wanted.waits_without_replica) == (False, False)
    assert wanted.applied_to(WAITING).replica_enabled
    assert wanted.differences(wanted.applied_to(WAITING)) == []


@every_engine
def test_the_source_side_is_switched_on_last(engine: str) -> None:
    wanted = settings_of_primary(Durability.NO_LOSS, ACKNOWLEDGED, replicas=2)
    made = statements(dialect(engine), ACKNOWLEDGED, wanted)
    assert [statement.parameters for statement in made] == [("AFTER_SYNC",), (4294967000,), (1,), (1,), (1,)]
    assert made[-1].sql == f"SET GLOBAL rpl_semi_sync_{dialect(engine).semi_sync_words[0]}_enabled = %s"


@every_engine
def test_whoever_waits_too_long_already_is_released_by_switching_off_first(engine: str) -> None:
    wanted = settings_of_primary(Durability.AVAILABLE, WAITING, replicas=1)
    made = statements(dialect(engine), WAITING, wanted)
    assert (made[0].parameters, made[-1].parameters) == ((0,), (1,))
    assert made[0].sql == made[-1].sql


@every_engine
def test_a_primary_is_protected_before_it_is_opened(engine: str) -> None:
    server = status(engine, "primary", read_only=True, semi_sync=ACKNOWLEDGED)
    wanted = settings_of_primary(Durability.NO_LOSS, server.semi_sync, replicas=2)
    decision = plan_primary(server, wanted)
    assert steps(decision) == [Action.SET_SEMI_SYNC, Action.OPEN_WRITES]
    assert isinstance(decision, Plan)
    assert plan_primary(predicted(server, decision, None, wanted), wanted) == Plan()


@every_engine
@pytest.mark.parametrize(
    ("have", "expected"),
    [
        (HEARD, []),
        (JUST_LOADED, [Action.SET_SEMI_SYNC, Action.RECONNECT]),
        (dataclasses.replace(HEARD, replica_active=False), [Action.RECONNECT]),
        (dataclasses.replace(HEARD, source_enabled=True), [Action.SET_SEMI_SYNC]),
        (None, [Action.LOAD_SEMI_SYNC, Action.CLOSE_WRITES, Action.SET_SEMI_SYNC, Action.RECONNECT]),
    ],
    ids=["as wanted", "switched off", "unknown to its source", "waits for replicas of its own", "no plugins"],
)
def test_a_replica_is_brought_to_acknowledge(engine: str, have: SemiSync | None, expected: list[Action]) -> None:
    assert plan_of_replica(engine, status(engine, "replica", semi_sync=have)) == expected


@every_engine
def test_a_replica_that_is_connecting_agrees_when_it_does(engine: str) -> None:
    server = status(
        engine,
        "replica",
        link=link(engine, "replica", io_thread=ThreadState.CONNECTING),
        semi_sync=dataclasses.replace(HEARD, replica_active=False),
    )
    assert plan_of_replica(engine, server) == []


@every_engine
def test_without_a_choice_nothing_is_touched(engine: str) -> None:
    server = status(engine, "replica", semi_sync=None)
    assert steps(plan_replica(server, settings(engine), None, password_differs=False, repair=False)) == []


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def patience(self, timeout: float) -> Patience:
        return Patience(timeout=timeout, clock=lambda: self.now, sleep=self.sleep)


def asked_of(engine: str, *states: ServerStatus) -> FakeSession:
    """Return a session whose server is in these states, one after the other, and stays in the last one."""
    remaining = list(states)
    asked = FakeSession(dialect(engine), [[]] * 20)

    class Moving(type(asked.dialect)):  # type: ignore[misc]
        def read_status(self, *_: t.Any) -> ServerStatus:
            return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    asked.dialect = Moving()
    return asked


def closed(engine: str, **changes: t.Any) -> ServerStatus:
    values = {"read_only": True, "has_user_schemas": True, "semi_sync": JUST_LOADED, **changes}
    return status(engine, "primary", **values)


@every_engine
def test_a_primary_that_comes_back_gives_its_replicas_time(engine: str) -> None:
    clock = Clock()
    asked = asked_of(engine, closed(engine), closed(engine), closed(engine, semi_sync=ACKNOWLEDGED))
    wish = PrimarySettings(durability=Durability.NO_LOSS, replicas=2)
    outcome = make_primary(asked, wish, patience=clock.patience(5))
    assert steps(outcome.plan) == [Action.SET_SEMI_SYNC, Action.OPEN_WRITES]
    assert outcome.warnings == ()
    assert 0 < clock.now < 5


@every_engine
def test_a_primary_without_replicas_opens_in_the_end_and_says_what_that_means(engine: str) -> None:
    clock = Clock()
    wish = PrimarySettings(durability=Durability.NO_LOSS, replicas=2)
    outcome = make_primary(asked_of(engine, closed(engine)), wish, patience=clock.patience(5))
    assert Action.OPEN_WRITES in steps(outcome.plan)
    assert "No replica acknowledges" in outcome.warnings[0]
    assert clock.now >= 5


@every_engine
@pytest.mark.parametrize(
    ("changes", "replicas"),
    [({"has_user_schemas": False, "connected_replicas": ()}, 2), ({}, 0), ({"semi_sync": WAITING}, 2)],
    ids=["a new server", "no replicas meant", "one that waits already"],
)
def test_nobody_is_waited_for_in_vain(engine: str, changes: dict[str, t.Any], replicas: int) -> None:
    clock = Clock()
    wish = PrimarySettings(durability=Durability.NO_LOSS, replicas=replicas)
    outcome = make_primary(asked_of(engine, closed(engine, **changes)), wish, patience=clock.patience(5))
    assert (clock.now, outcome.warnings) == (0, ())


@every_engine
@pytest.mark.parametrize(
    ("known", "warned"),
    [(None, False), (frozenset({"10.0.0.2"}), True), (frozenset({"10.0.0.2", "10.0.0.9"}), False)],
    ids=["nobody is known", "one has left", "all are known"],
)
def test_a_server_that_reads_along_and_is_not_known_is_told_of(
    engine: str, known: frozenset[str] | None, *, warned: bool
) -> None:
    reading = status(engine, "primary", connected_replicas=("10.0.0.2", "10.0.0.9"))
    outcome = make_primary(asked_of(engine, reading), PrimarySettings(known_replicas=known))
    assert not outcome.changed
    assert [warning.split()[0] for warning in outcome.warnings] == (["10.0.0.9"] if warned else [])


@every_engine
def test_check_mode_waits_for_nobody_and_sets_nothing(engine: str) -> None:
    clock = Clock()
    asked = asked_of(engine, closed(engine))
    wish = PrimarySettings(durability=Durability.NO_LOSS, replicas=2)
    outcome = make_primary(asked, wish, patience=clock.patience(5), check_mode=True)
    assert (outcome.changed, clock.now, asked.asked) == (True, 0, [])


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine.startswith("mariadb")])
def test_a_password_that_was_renewed_is_set_where_the_stored_one_is_hidden(engine: str) -> None:
    outcome = make_replica(
        FakeSession(dialect(engine), answers(engine, "replica")),
        settings(engine),
        look_at_source=lambda: source(engine),
        patience=Clock().patience(5),
        password_renewed=True,
        check_mode=True,
    )
    assert steps(outcome.plan) == [Action.STOP_THREADS, Action.FOLLOW, Action.START_THREADS]
