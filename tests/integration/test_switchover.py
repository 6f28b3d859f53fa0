# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t

import pymysql
import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import ReplicationFailedError
from ansible_collections.webinfra.stack.tests.integration.trio import failing_at, killed_at
from ansible_collections.webinfra.stack.tests.waiting import eventually

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.tests.integration.trio import Trio

AT_FIRST = {"db1": "primary", "db2": "replica of db1", "db3": "replica of db1"}
MOVED = {"db1": "replica of db2", "db2": "primary", "db3": "replica of db2"}


def steps_of(result: dict[str, t.Any]) -> set[tuple[str, str]]:
    return {(step["server"], step["act"]) for step in result["steps"]}


def test_writes_move_there_and_back_and_none_is_lost(
    trio: Trio, record_property: c.Callable[[str, object], None]
) -> None:
    with trio.written_to() as writers:
        writers.go_on()
        there = trio.move("switchover", target="db2")
        assert there.get("msg") is None
        assert (there["changed"], there["primary"], there["former_primary"]) == (True, "db2", "db1")
        assert trio.open_servers() == ["db2"]
        trio.await_beat_of("db2")
        writers.go_on()
        back = trio.move("switchover", target="db1")
        assert (back["changed"], back["primary"]) == (True, "db1")
        assert trio.open_servers() == ["db1"]
        writers.go_on()
    figures = (there["writes_closed_ms"], back["writes_closed_ms"], round(writers.longest_gap * 1000, 1))
    record_property("closed there, closed back, longest gap of a client in ms", figures)
    trio.agree()
    assert trio.lost(writers) == set()
    assert trio.roles() == AT_FIRST
    trio.await_beat_of("db1")
    assert trio.moves("db3") == [("switchover", "db1", "db2"), ("switchover", "db2", "db1")]


def test_check_mode_predicts_and_changes_nothing(trio: Trio) -> None:
    predicted = trio.move("switchover", target="db2", check=True)
    assert trio.roles() == AT_FIRST
    moved = trio.move("switchover", target="db2")
    assert moved["changed"] is predicted["changed"] is True
    assert (moved["plan"], moved["diff"]) == (predicted["plan"], predicted["diff"])
    assert trio.roles() == MOVED
    again = trio.move("switchover", target="db2")
    assert (again["changed"], again["primary"], again["plan"]) == (False, "db2", [])


def test_commits_wait_on_the_new_primary_and_nowhere_else(trio: Trio) -> None:
    trio.move("switchover", target="db2")
    waiting = {name: trio.status(name)["semi_sync"]["source_enabled"] for name in trio.addresses}
    assert waiting == {"db1": False, "db2": True, "db3": False}
    assert trio.status("db2")["semi_sync"]["waits_without_replica"]
    assert trio.status("db1")["semi_sync"]["replica_active"]


@pytest.mark.parametrize("fault", ["applier", "receiver", "errant"])
def test_a_named_target_that_is_not_fit_is_refused(trio: Trio, fault: str) -> None:
    if fault == "errant":
        trio.errant_write("db2")
    else:
        trio.stop("db2", "SQL_THREAD" if fault == "applier" else "IO_THREAD")
    if fault == "receiver":
        # A source notices with its next event that nobody reads any more.
        eventually(lambda: trio.addresses["db2"] not in trio.status("db1")["connected_replicas"], seconds=10)
    before = {name: trio.status(name) for name in trio.addresses}
    refused = trio.move("switchover", target="db2")
    assert refused["failed"]
    assert "db2 is not fit to take over" in refused["msg"]
    assert "Nothing was changed" in refused["msg"]
    assert trio.open_servers() == ["db1"]
    # The heartbeat goes on, and so do position and lag.
    steady = ("read_only", "source", "io_thread", "sql_thread", "semi_sync", "connected_replicas")
    for name, status in before.items():
        after = trio.status(name)
        assert {key: after[key] for key in steady} == {key: status[key] for key in steady}


def test_a_broken_replica_is_left_behind_only_by_force(trio: Trio) -> None:
    trio.stop("db3", "SQL_THREAD")
    refused = trio.move("switchover")
    assert "Not all replicas could follow db2: db3 does not replicate" in refused["msg"]
    forced = trio.move("switchover", force=True)
    assert (forced["primary"], trio.open_servers()) == ("db2", ["db2"])
    assert ("db3", "follow") not in steps_of(forced)


def test_an_account_that_others_could_not_follow_with_is_refused(trio: Trio) -> None:
    refused = trio.move("switchover", target="db2", replication_password="wrong")
    assert "db2 cannot be looked at with the account replication" in refused["msg"]
    assert trio.roles() == AT_FIRST


def test_a_transaction_that_does_not_end_is_refused_or_ended(trio: Trio) -> None:
    client = trio.client("db1")
    with contextlib.closing(client), client.cursor() as cursor:
        client.begin()
        cursor.execute("INSERT INTO app_db.t (i) VALUES (-1)")
        limits: dict[str, t.Any] = {"target": "db2", "max_transaction_age": 0, "transaction_timeout": 1}
        refused = trio.move("switchover", **limits)
        assert "of app, open for" in refused["msg"]
        assert trio.roles() == AT_FIRST
        moved = trio.move("switchover", kill_transactions=True, **limits)
        assert moved["primary"] == "db2"
        with pytest.raises(pymysql.MySQLError):
            client.commit()
    trio.agree()
    assert trio.sql("db2", "SELECT i FROM app_db.t") == []


def test_clients_of_the_old_primary_are_cut_off(trio: Trio) -> None:
    client = trio.client("db1")
    trio.move("switchover", target="db2")
    with contextlib.closing(client), client.cursor() as cursor, pytest.raises(pymysql.MySQLError):
        cursor.execute("SELECT 1")


BEFORE_IT_IS_OPEN = [
    ("db1", "close_writes"),
    ("db1", "mark_position"),
    ("db2", "catch_up"),
    ("db2", "stop_replication"),
    ("db2", "wait_in_commits"),
    ("db2", "open_writes"),
]
AFTERWARDS = [("db2", "forget_source"), ("db1", "follow_as_former_primary"), ("db3", "follow"), ("db2", "record")]


@pytest.mark.parametrize(("server", "act"), BEFORE_IT_IS_OPEN, ids=[f"{act} of {on}" for on, act in BEFORE_IT_IS_OPEN])
def test_a_step_that_fails_takes_the_move_back(trio: Trio, server: str, act: str) -> None:
    with trio.written_to() as writers:
        writers.go_on()
        with failing_at(server, act, ReplicationFailedError("made to fail")):
            failed = trio.move("switchover", target="db2")
        assert failed["failed"]
        assert failed["rolled_back"]
        assert "was taken back, db1 takes the writes" in failed["msg"]
        assert trio.open_servers() == ["db1"]
        writers.go_on()
    trio.agree()
    assert trio.lost(writers) == set()
    assert trio.roles() == AT_FIRST


@pytest.mark.parametrize(
    ("server", "act"),
    BEFORE_IT_IS_OPEN + AFTERWARDS,
    ids=[f"{act} of {on}" for on, act in BEFORE_IT_IS_OPEN + AFTERWARDS],
)
def test_a_run_that_was_killed_is_finished_by_the_next_one(trio: Trio, server: str, act: str) -> None:
    with trio.written_to() as writers:
        writers.go_on()
        with killed_at(server, act):
            trio.move("switchover", target="db2")
        assert len(trio.open_servers()) <= 1
        again = trio.move("switchover", target="db2")
        assert again.get("msg") is None
        assert trio.open_servers() == ["db2"]
        writers.go_on()
    trio.agree()
    assert trio.lost(writers) == set()
    assert trio.roles() == MOVED
