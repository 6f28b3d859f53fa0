# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import RefusedError
from ansible_collections.webinfra.stack.tests.integration.servers import docker
from ansible_collections.webinfra.stack.tests.integration.trio import failing_at, killed_at

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.tests.integration.trio import Trio

AT_FIRST = {"db1": "primary", "db2": "replica of db1", "db3": "replica of db1"}


def test_a_killed_primary_is_replaced_and_nothing_acknowledged_is_lost(
    trio: Trio, record_property: c.Callable[[str, object], None]
) -> None:
    with trio.written_to() as writers:
        writers.go_on(200)
        trio.await_heartbeat()
        trio.kill("db1")
        predicted = trio.move("failover", durability="no_loss", check=True)
        assert trio.open_servers() == []
        begin = time.monotonic()
        result = trio.move("failover", durability="no_loss")
        seconds = time.monotonic() - begin
        assert result.get("msg") is None
        assert result["changed"] is predicted["changed"] is True
        assert result["diff"]["before"] == predicted["diff"]["before"]
        assert trio.open_servers() == [result["primary"]]
        writers.go_on()
    record_property(
        "seconds of the module, longest gap of a client", (round(seconds, 2), round(writers.longest_gap, 2))
    )
    trio.agree()
    assert trio.lost(writers) == set()
    assert result["lost"]["nothing_acknowledged_lost"], result["lost"]["reason"]
    assert "commits waited up to 50 days for a replica" in result["lost"]["reason"]
    trio.await_beat_of(result["primary"])
    trio.revive("db1")
    assert trio.open_servers() == [result["primary"]]


def test_a_primary_whose_commits_had_stopped_waiting_may_have_lost_something_and_that_is_said(trio: Trio) -> None:
    """Whatever the inventory promises, the primary's last heartbeat says what it did."""
    trio.sql("db1", f"SET GLOBAL {trio.switches[0]} = 0")
    trio.await_heartbeat(commits_wait=False)
    trio.kill("db1")
    result = trio.move("failover", durability="no_loss")
    assert not result["lost"]["nothing_acknowledged_lost"]
    assert "its commits did not wait for a replica" in result["summary"]


def test_replicas_receive_again_when_the_chosen_one_cannot_apply_what_it_has(trio: Trio) -> None:
    with trio.written_to() as writers:
        with trio.connect("db2") as blocking:
            blocking.cursor().execute("FLUSH TABLES app_db.t WITH READ LOCK")
            writers.go_on(20)
            trio.kill("db1")
            failed = trio.move("failover", target="db2", durability="no_loss", catch_up_timeout=1)
        assert "It has not applied what it has received within 1 s" in failed["msg"]
        assert trio.open_servers() == []
        assert "stopped" not in {trio.status(name)["io_thread"] for name in ("db2", "db3")}
        again = trio.move("failover", target="db2", durability="no_loss")
        assert (again.get("msg"), again.get("primary")) == (None, "db2")
        writers.go_on()
    trio.agree()
    assert trio.lost(writers) == set()


def test_a_second_failover_soon_after_is_refused_unless_forced(trio: Trio) -> None:
    trio.kill("db1")
    first = trio.move("failover", target="db2")
    assert first["primary"] == "db2"
    trio.revive("db1")
    trio.kill("db2")
    refused = trio.move("failover")
    assert "The last failover, to db2, was" in refused["msg"]
    assert trio.open_servers() == []
    assert trio.move("failover", block_period=0, check=True)["changed"]
    second = trio.move("failover", force=True)
    assert second["primary"] == "db3"
    assert trio.moves("db3") == [("failover", "db1", "db2"), ("failover", "db2", "db3")]
    assert trio.open_servers() == ["db3"]


def test_a_primary_that_answers_is_not_failed_over(trio: Trio) -> None:
    refused = trio.move("failover")
    assert "db1 answers: it takes writes" in refused["msg"]
    assert trio.roles() == AT_FIRST


def test_a_primary_that_the_replicas_hear_is_not_failed_over(trio: Trio) -> None:
    trio.sql("db1", "ALTER USER mover@'%%' ACCOUNT LOCK", init_command="SET SESSION sql_log_bin = 0")
    refused = trio.move("failover", timeout=1)
    assert "db2, db3 still hears it" in refused["msg"]
    assert trio.roles() == AT_FIRST


def test_a_replica_that_cannot_be_asked_may_have_more(trio: Trio) -> None:
    trio.kill("db1")
    trio.kill("db3")
    refused = trio.move("failover", timeout=1)
    assert "db3 cannot be asked either" in refused["msg"]
    assert trio.open_servers() == []
    forced = trio.move("failover", force=True)
    assert forced["primary"] == "db2"
    assert not forced["lost"]["nothing_acknowledged_lost"]
    assert "db3 could not be asked" in forced["lost"]["reason"]
    with trio.written_to() as writers:
        writers.go_on()  # nobody is left to acknowledge


@pytest.mark.parametrize("target", [None, "db2"], ids=["elected", "named"])
def test_what_one_replica_alone_has_received_is_kept(trio: Trio, target: str | None) -> None:
    trio.stop("db2", "IO_THREAD")
    with trio.written_to() as writers:
        writers.go_on(100)
        trio.kill("db1")
        result = trio.move("failover", durability="no_loss", target=target)
        assert result.get("msg") is None
        assert result["primary"] == (target or "db3")
        writers.go_on()
    trio.agree()
    assert trio.lost(writers) == set()


def test_a_host_that_is_dead_without_a_word_is_replaced_in_seconds(
    trio: Trio, record_property: c.Callable[[str, object], None]
) -> None:
    with trio.written_to() as writers:
        writers.go_on(100)
        docker("pause", trio.container("db1"))
        begin = time.monotonic()
        result = trio.move("failover", durability="no_loss")
        seconds = time.monotonic() - begin
        docker("kill", "--signal", "KILL", trio.container("db1"))
        assert result.get("msg") is None
        writers.go_on()
    record_property("seconds of the module", round(seconds, 2))
    assert seconds < 15
    trio.agree()
    assert trio.lost(writers) == set()


STEPS = [
    ("db2", "stop_receiving"),
    ("db2", "apply_received"),
    ("db2", "stop_replication"),
    ("db2", "open_writes"),
    ("db2", "forget_source"),
    ("db3", "follow"),
    ("db2", "record"),
]


@pytest.mark.parametrize(("server", "act"), STEPS, ids=[f"{act} of {on}" for on, act in STEPS])
def test_a_run_that_was_killed_is_finished_by_the_next_one(trio: Trio, server: str, act: str) -> None:
    with trio.written_to() as writers:
        writers.go_on()
        trio.await_heartbeat()
        trio.kill("db1")
        with killed_at(server, act):
            trio.move("failover", target="db2", durability="no_loss")
        assert len(trio.open_servers()) <= 1
        again = trio.move("failover", target="db2", durability="no_loss")
        assert trio.open_servers() == ["db2"]
        if again["changed"]:
            assert again["former_primary"] == "db1"
            assert again["lost"]["nothing_acknowledged_lost"], again["lost"]["reason"]
        else:
            assert "db2 takes the writes already" in again["summary"]
        writers.go_on()
    trio.agree()
    assert trio.lost(writers) == set()
    assert trio.roles() == {"db2": "primary", "db3": "replica of db2"}


def test_a_run_that_was_killed_while_two_replicas_follow_each_other_is_finished(trio: Trio) -> None:
    with trio.written_to() as writers:
        writers.go_on()
        trio.stop("db2", "IO_THREAD")
        writers.go_on()
        trio.kill("db1")
        with killed_at("db2", "open_writes", after=("db3", "follow")):
            trio.move("failover", target="db2", durability="no_loss")
        assert trio.open_servers() == []
        again = trio.move("failover", target="db2", durability="no_loss")
        assert (again.get("msg"), again.get("primary")) == (None, "db2")
        writers.go_on()
    trio.agree()
    assert trio.lost(writers) == set()
    assert trio.roles() == {"db2": "primary", "db3": "replica of db2"}


def test_a_failover_that_is_called_off_lets_the_replicas_receive_again(trio: Trio) -> None:
    trio.kill("db1")
    with failing_at("db3", "stop_receiving", RefusedError("made to fail")):
        refused = trio.move("failover")
    assert "called off, and the replicas receive again" in refused["msg"]
    assert {trio.status(name)["io_thread"] for name in ("db2", "db3")} == {"connecting"}
    assert trio.move("failover")["primary"] == "db2"
