# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.plan import (
    needs_source,
    plan_primary,
    plan_replica,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.prediction import as_settings, predicted
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import (
    EngineError,
    ServerStatus,
    ThreadState,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import (
    Action,
    Plan,
    Refusal,
    SourceIdentity,
    SourceSettings,
    SourceView,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    link,
    session,
    status,
)

every_engine = pytest.mark.parametrize("engine", ENGINES)


def settings(engine: str, **changes: t.Any) -> SourceSettings:
    """Return what the recorded replica follows."""
    recorded = link(engine, "replica")
    wanted = SourceSettings(
        host=recorded.host, port=recorded.port, user=recorded.user, password="secret", ca_file=recorded.ca_file
    )
    return dataclasses.replace(wanted, **changes)


def source(engine: str, /, **changes: t.Any) -> SourceView:
    recorded = session(engine, "identity")
    return SourceView(identity=dataclasses.replace(recorded.dialect.read_identity(recorded), **changes))


def fresh(engine: str, **changes: t.Any) -> ServerStatus:
    values = {"link": None, "has_user_schemas": False, "connected_replicas": (), "read_only": True, **changes}
    return status(engine, "replica", **values)


def plan(
    server: ServerStatus,
    wanted: SourceSettings,
    view: SourceView | None = None,
    *,
    password_differs: bool = False,
    repair: bool = True,
    password_renewed: bool = False,
) -> Plan | Refusal:
    means = {"password_differs": password_differs, "repair": repair, "password_renewed": password_renewed}
    return plan_replica(server, wanted, view, **means)


def actions(decision: Plan | Refusal) -> list[Action]:
    assert isinstance(decision, Plan), decision
    return [step.action for step in decision.steps]


def refusal(decision: Plan | Refusal) -> str:
    assert isinstance(decision, Refusal), decision
    return decision.reason


@every_engine
def test_a_replica_that_is_as_wanted_is_left_alone(engine: str) -> None:
    server = status(engine, "replica")
    assert not needs_source(server, settings(engine))
    assert actions(plan(server, settings(engine))) == []


@every_engine
def test_a_new_server_forgets_its_installation_and_follows(engine: str) -> None:
    decision = plan(fresh(engine), settings(engine), source(engine))
    assert actions(decision) == [Action.CLEAR_HISTORY, Action.FOLLOW, Action.START_THREADS]


@every_engine
def test_a_new_server_that_takes_writes_is_closed_first(engine: str) -> None:
    decision = plan(fresh(engine, read_only=False), settings(engine), source(engine))
    assert actions(decision)[0] is Action.CLOSE_WRITES


def test_mysql_is_closed_for_administrators_as_well() -> None:
    server = status("mysql_9_7", "replica", super_read_only=False)
    assert actions(plan(server, settings("mysql_9_7"))) == [Action.CLOSE_WRITES]


@every_engine
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"host": "db9"}, "the source is"),
        ({"port": 3307}, "the source is"),
        ({"user": "somebody"}, "entered as"),
        ({"ca_file": "/tls/other.pem"}, "does not verify"),
        ({"ca_file": None}, "no source_ca_file is given"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_link_that_differs_is_set_anew(engine: str, change: dict[str, t.Any], reason: str) -> None:
    decision = plan(status(engine, "replica"), settings(engine, **change), source(engine))
    assert actions(decision) == [Action.STOP_THREADS, Action.FOLLOW, Action.START_THREADS]
    assert isinstance(decision, Plan)
    assert reason in decision.steps[1].reason


@every_engine
def test_a_link_by_file_and_offset_is_moved_to_gtid(engine: str) -> None:
    server = status(engine, "replica", link=link(engine, "replica", auto_position=False))
    assert Action.FOLLOW in actions(plan(server, settings(engine), source(engine)))


@every_engine
@pytest.mark.parametrize("thread", ["io_thread", "sql_thread"])
def test_a_link_that_was_working_and_is_stopped_is_only_started_when_asked_to(engine: str, thread: str) -> None:
    server = status(engine, "replica", link=link(engine, "replica", **{thread: ThreadState.STOPPED}))
    refused = plan(server, settings(engine), source(engine), repair=False)
    assert isinstance(refused, Refusal)
    assert "stopped on purpose" in refused.reason
    assert actions(plan(server, settings(engine), source(engine))) == [Action.START_THREADS]


@every_engine
def test_a_link_that_was_never_connected_is_completed_without_being_asked(engine: str) -> None:
    unfinished = link(
        engine, "replica", established=False, io_thread=ThreadState.STOPPED, sql_thread=ThreadState.STOPPED
    )
    decision = plan(status(engine, "replica", link=unfinished), settings(engine), source(engine), repair=False)
    assert actions(decision) == [Action.START_THREADS]


@every_engine
def test_a_login_that_is_refused_is_red_and_replaced_only_when_asked_to(engine: str) -> None:
    denied = EngineError(code=1045, message="Access denied")
    server = status(engine, "replica", link=link(engine, "replica", io_thread=ThreadState.CONNECTING, io_error=denied))
    refused = plan(server, settings(engine), source(engine), repair=False)
    assert isinstance(refused, Refusal)
    assert "1045" in refused.reason
    assert actions(plan(server, settings(engine), source(engine))) == [
        Action.STOP_THREADS,
        Action.FOLLOW,
        Action.START_THREADS,
    ]


@every_engine
def test_a_login_that_is_refused_since_the_password_was_renewed_is_replaced(engine: str) -> None:
    denied = EngineError(code=1045, message="Access denied")
    server = status(engine, "replica", link=link(engine, "replica", io_thread=ThreadState.CONNECTING, io_error=denied))
    decision = plan(server, settings(engine), source(engine), repair=False, password_renewed=True)
    assert actions(decision) == [Action.STOP_THREADS, Action.FOLLOW, Action.START_THREADS]


@every_engine
def test_a_stopped_thread_is_started_without_touching_the_link(engine: str) -> None:
    server = status(engine, "replica", link=link(engine, "replica", sql_thread=ThreadState.STOPPED))
    assert needs_source(server, settings(engine))
    decision = plan(server, settings(engine), source(engine))
    assert actions(decision) == [Action.START_THREADS]
    assert isinstance(decision, Plan)
    assert decision.steps[0].reason == "the SQL thread is stopped"


@every_engine
def test_a_source_that_is_only_away_is_waited_for(engine: str) -> None:
    away = EngineError(code=2003, message="Can't connect")
    server = status(engine, "replica", link=link(engine, "replica", io_thread=ThreadState.CONNECTING, io_error=away))
    view = SourceView(identity=None, reason="no answer")
    assert actions(plan(server, settings(engine), view)) == []


@every_engine
def test_a_refused_login_gets_the_given_password(engine: str) -> None:
    decision = plan(status(engine, "login_refused"), settings(engine), source(engine))
    assert actions(decision) == [Action.STOP_THREADS, Action.FOLLOW, Action.START_THREADS]


def test_a_password_that_is_known_to_differ_is_set() -> None:
    decision = plan(status("mysql_9_7", "replica"), settings("mysql_9_7"), source("mysql_9_7"), password_differs=True)
    assert Action.FOLLOW in actions(decision)


@every_engine
def test_a_working_link_is_not_replaced_by_one_that_cannot_be_tried(engine: str) -> None:
    view = SourceView(identity=None, reason="Access denied")
    reason = refusal(plan(status(engine, "replica"), settings(engine, ca_file="/x"), view, password_differs=True))
    assert "Access denied" in reason
    assert "works" in reason


@every_engine
def test_a_primary_is_never_demoted(engine: str) -> None:
    reason = refusal(plan(status(engine, "primary"), settings(engine), source(engine)))
    assert "takes writes and feeds 172." in reason


@every_engine
def test_a_server_with_data_needs_a_source_that_can_be_compared(engine: str) -> None:
    view = SourceView(identity=None, reason="Access denied")
    reason = refusal(plan(fresh(engine, has_user_schemas=True), settings(engine), view))
    assert "holds data" in reason


@every_engine
def test_a_server_with_data_that_the_source_has_follows_where_it_left_off(engine: str) -> None:
    decision = plan(fresh(engine, has_user_schemas=True), settings(engine), source(engine))
    assert actions(decision) == [Action.FOLLOW, Action.START_THREADS]


@every_engine
def test_transactions_that_the_source_lacks_are_not_buried(engine: str) -> None:
    reason = refusal(plan(status(engine, "conflict"), settings(engine), source(engine)))
    own = "0-2-" if engine.startswith("mariadb") else str(status(engine, "conflict").server_uuid)
    assert "lacks: " in reason
    assert own in reason


@every_engine
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"server_id": 2, "server_uuid": None}, "same identity"),
        ({"engine": "other"}, "runs other"),
        ({"log_bin": False}, "keeps no GTID history"),
        ({"gtid_enabled": False}, "keeps no GTID history"),
    ],
    ids=["itself", "another engine", "no binary log", "no GTID"],
)
def test_an_impossible_source_is_refused(engine: str, change: dict[str, t.Any], words: str) -> None:
    assert words in refusal(plan(fresh(engine), settings(engine), source(engine, **change)))


@every_engine
def test_a_server_without_history_does_not_follow(engine: str) -> None:
    assert "GTID history" in refusal(plan(fresh(engine, log_bin=False), settings(engine), source(engine)))


@every_engine
def test_a_replica_is_not_opened(engine: str) -> None:
    assert "two primaries" in refusal(plan_primary(status(engine, "replica")))


@every_engine
def test_a_closed_server_is_opened_once(engine: str) -> None:
    closed = fresh(engine)
    decision = plan_primary(closed)
    assert actions(decision) == [Action.OPEN_WRITES]
    assert isinstance(decision, Plan)
    assert actions(plan_primary(predicted(closed, decision, None))) == []


@every_engine
def test_the_prediction_of_a_plan_needs_no_further_plan(engine: str) -> None:
    server = fresh(engine, read_only=False)
    decision = plan(server, settings(engine), source(engine))
    assert isinstance(decision, Plan)
    after = predicted(server, decision, settings(engine))
    assert actions(plan(after, settings(engine))) == []
    assert after.read_only


@every_engine
def test_a_diff_shows_no_secret_and_nothing_that_moves_by_itself(engine: str) -> None:
    shown = as_settings(status(engine, "replica"))
    where = {"role", "read_only", "super_read_only", "source", "io_thread", "sql_thread"}
    assert set(shown) == where | {"semi_sync", "heartbeat"}
    assert not {"acknowledging_replicas", "source_active", "replica_active"} & set(shown["semi_sync"] or {})
    assert "secret" not in str(shown)


def test_an_identity_is_all_that_is_known_of_a_source() -> None:
    assert isinstance(source("mysql_9_7").identity, SourceIdentity)
