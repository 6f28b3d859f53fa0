# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.advice import advice
from ansible_collections.webinfra.stack.plugins.module_utils._replication.convergence import (
    Patience,
    Progress,
    make_primary,
    make_replica,
    progress,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import RefusedError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import EngineError, ThreadState
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    answers,
    dialect,
    link,
    session,
    status,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.test_plan import settings, source

if TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import SourceView

every_engine = pytest.mark.parametrize("engine", ENGINES)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def patience(clock: Clock, timeout: float = 30) -> Patience:
    return Patience(timeout=timeout, clock=clock, sleep=clock.sleep)


def never() -> SourceView:
    raise AssertionError("the source was looked at")


def password_known(engine: str, *, differs: bool = False) -> list[list[dict[str, object]]]:
    """Return the answer to the question for the stored password, which only MySQL is asked."""
    return [[{"differs": int(differs)}]] if engine.startswith("mysql") else []


def sql_of(asked: FakeSession) -> str:
    return "\n".join(statement.sql for statement in asked.asked)


@every_engine
def test_a_working_replica_is_only_read(engine: str) -> None:
    recorded = answers(engine, "replica")
    asked = FakeSession(dialect(engine), [*recorded, *password_known(engine), *recorded])
    outcome = make_replica(asked, settings(engine), repair=True, look_at_source=never, patience=patience(Clock()))
    assert (outcome.changed, outcome.failure) == (False, None)
    assert "CHANGE" not in sql_of(asked)


@every_engine
def test_check_mode_looks_and_does_not_act(engine: str) -> None:
    asked = FakeSession(dialect(engine), [*answers(engine, "login_refused"), *password_known(engine)])
    outcome = make_replica(
        asked,
        settings(engine),
        look_at_source=lambda: source(engine),
        patience=patience(Clock()),
        repair=True,
        check_mode=True,
    )
    assert outcome.changed
    assert outcome.after.link is not None
    assert outcome.after.link.running
    assert not any(word in sql_of(asked) for word in ("CHANGE ", "STOP ", "START "))


@every_engine
def test_a_replica_that_was_started_has_to_keep_running_for_a_while(engine: str) -> None:
    stopped_then_running = [*answers(engine, "login_refused"), *password_known(engine), [], [], []]
    asked = FakeSession(dialect(engine), [*stopped_then_running, *(answers(engine, "replica") * 10)])
    clock = Clock()
    outcome = make_replica(
        asked, settings(engine), repair=True, look_at_source=lambda: source(engine), patience=patience(clock)
    )
    assert (outcome.changed, outcome.failure) == (True, None)
    assert clock.now >= 1


@every_engine
def test_a_replica_that_stops_again_is_a_failure_with_the_engines_reason(engine: str) -> None:
    acted = [*answers(engine, "login_refused"), *password_known(engine), [], [], []]
    asked = FakeSession(dialect(engine), [*acted, *answers(engine, "replica"), *answers(engine, "conflict")])
    outcome = make_replica(
        asked, settings(engine), repair=True, look_at_source=lambda: source(engine), patience=patience(Clock())
    )
    assert outcome.failure is not None
    assert "Duplicate entry '1'" in outcome.failure
    assert "What to do: the rows of this server and of its source differ" in outcome.failure


@every_engine
def test_a_refused_login_does_not_wait_for_the_timeout(engine: str) -> None:
    acted = [*answers(engine, "login_refused"), *password_known(engine), [], [], []]
    asked = FakeSession(dialect(engine), [*acted, *answers(engine, "login_refused")])
    clock = Clock()
    outcome = make_replica(
        asked, settings(engine), repair=True, look_at_source=lambda: source(engine), patience=patience(clock)
    )
    assert outcome.failure is not None
    assert "1045" in outcome.failure
    assert clock.now == 0


@every_engine
def test_waiting_ends_at_the_timeout(engine: str) -> None:
    connecting = link(engine, "login_refused", io_error=EngineError(code=2003, message="Can't connect"))
    state, reason = progress(status(engine, "login_refused", link=connecting))
    assert state is Progress.WAITING
    assert "2003" in reason


@every_engine
@pytest.mark.parametrize(
    ("situation", "expected"),
    [("replica", Progress.WORKING), ("login_refused", Progress.FAILED), ("conflict", Progress.FAILED)],
)
def test_progress_is_judged_by_threads_and_errors(engine: str, situation: str, expected: Progress) -> None:
    assert progress(status(engine, situation))[0] is expected


@every_engine
def test_an_io_thread_that_has_given_up_is_a_failure(engine: str) -> None:
    gone = EngineError(code=1236, message="could not find first log file")
    given_up = link(engine, "replica", io_thread=ThreadState.STOPPED, io_error=gone)
    state, reason = progress(status(engine, "replica", link=given_up))
    assert state is Progress.FAILED
    assert "webinfra.stack.rejoin saves them and seeds it anew" in reason


@every_engine
def test_a_refusal_changes_nothing(engine: str) -> None:
    asked = session(engine, "primary")
    with pytest.raises(RefusedError, match="never demoted"):
        make_replica(
            asked, settings(engine), repair=True, look_at_source=lambda: source(engine), patience=patience(Clock())
        )
    assert len(asked.asked) == len(answers(engine, "primary"))


@every_engine
def test_a_password_that_the_engine_would_cut_is_refused_before_anything_is_asked(engine: str) -> None:
    asked = FakeSession(dialect(engine), [])
    wanted = settings(engine, password="x" * (dialect(engine).longest_source_password + 1))
    with pytest.raises(RefusedError, match="characters"):
        make_replica(asked, wanted, look_at_source=never, patience=patience(Clock()))


@every_engine
def test_a_primary_that_takes_writes_is_left_alone(engine: str) -> None:
    asked = session(engine, "primary")
    assert not make_primary(asked).changed
    assert "SET" not in sql_of(asked)


@every_engine
def test_a_replica_is_not_opened_for_writes(engine: str) -> None:
    asked = session(engine, "replica")
    with pytest.raises(RefusedError, match="two primaries"):
        make_primary(asked)
    assert len(asked.asked) == len(answers(engine, "replica"))


@pytest.mark.parametrize("code", [None, 1045, 1062, 1236, 2003, 2026, 9999])
def test_there_is_advice_for_every_error(code: int | None) -> None:
    assert len(advice(EngineError(code=code, message="x") if code else None)) > 20
