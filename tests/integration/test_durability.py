# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an acknowledged commit is worth, and the heartbeat that tells how old a replica is."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

import pymysql
import pytest

from ansible_collections.webinfra.stack.tests.integration.test_replication import actions, eventually

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.tests.integration.servers import Pair

HEARTBEAT: dict[str, t.Any] = {"canary_database": "webinfra"}


def semi_sync(pair: Pair, name: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = pair.status(name)["semi_sync"]
    return found


def primary(durability: str, **options: t.Any) -> dict[str, t.Any]:
    return {"state": "primary", "durability": durability, "expected_replicas": 1, "timeout": 10, **options}


def protected(pair: Pair, durability: str = "no_loss") -> None:
    """Let the replica acknowledge, then let the primary wait for it."""
    assert pair.run("replication", "db2", **pair.following(durability=durability))["changed"]
    assert pair.run("replication", "db1", **primary(durability))["changed"]


SWITCHED = {
    True: ("rpl_semi_sync_source_enabled", "rpl_semi_sync_replica_enabled"),
    False: ("rpl_semi_sync_master_enabled", "rpl_semi_sync_slave_enabled"),
}
"""The two sides by the words of MySQL and of MariaDB."""


def unprotect(pair: Pair) -> None:
    """Put back what the tests have set: nobody waits, and nobody acknowledges."""
    for name in ("db1", "db2"):
        if semi_sync(pair, name) is not None:
            for switch in SWITCHED[pair.image.mysql]:
                pair.sql(name, f"SET GLOBAL {switch} = 0")


@pytest.fixture
def protectable(replicated: Pair) -> t.Iterator[Pair]:
    """Load the plugins where the engine has some, and leave no server that waits."""
    replicated.run("replication", "db1", state="primary", durability="available")
    yield replicated
    unprotect(replicated)


def test_a_new_primary_does_not_wait_for_replicas_that_it_has_not_yet(pair: Pair) -> None:
    result = pair.run("replication", "db1", **primary("no_loss"))
    assert result["replication"]["read_only"] is False
    assert semi_sync(pair, "db1")["source_enabled"] is False
    pair.sql("db1", "CREATE DATABASE app_db")


def test_check_mode_predicts_both_sides_and_the_second_run_changes_nothing(protectable: Pair) -> None:
    following = protectable.following(durability="no_loss")
    for name, options in (("db2", following), ("db1", primary("no_loss"))):
        before = protectable.status(name)["semi_sync"]
        predicted = protectable.run("replication", name, check=True, **options)
        assert protectable.status(name)["semi_sync"] == before
        first = protectable.run("replication", name, **options)
        assert first["changed"] is predicted["changed"] is True
        assert (first["steps"], first["diff"]) == (predicted["steps"], predicted["diff"])
        second = protectable.run("replication", name, **options)
        assert (second["changed"], second["steps"]) == (False, [])
    assert semi_sync(protectable, "db1") == {
        "source_enabled": True,
        "source_active": True,
        "replica_enabled": True,
        "replica_active": False,
        "wait_after_sync": True,
        "timeout_seconds": 4294967.0,
        "acknowledging_replicas": 1,
        "waits_without_replica": True,
        "wait_for_replicas": 1,
    }
    assert semi_sync(protectable, "db2")["source_enabled"] is False
    assert semi_sync(protectable, "db2")["replica_active"] is True


def test_without_loss_a_write_waits_until_the_replica_is_back(protectable: Pair) -> None:
    protected(protectable)
    protectable.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    word = "REPLICA" if protectable.image.mysql else "SLAVE"
    protectable.sql("db2", f"STOP {word} IO_THREAD")
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
        write = pool.submit(protectable.sql, "db1", "INSERT INTO app_db.t VALUES (1)", init_command="SELECT 1")
        with pytest.raises(concurrent.futures.TimeoutError):
            write.result(timeout=2)
        protectable.sql("db2", f"START {word} IO_THREAD")
        write.result(timeout=10)
    assert eventually(lambda: protectable.sql("db2", "SELECT i FROM app_db.t") == [{"i": 1}])


def test_the_way_out_of_a_blocked_primary_is_to_choose_availability(protectable: Pair) -> None:
    protected(protectable)
    protectable.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    protectable.forget_source("db2")
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
        write = pool.submit(protectable.sql, "db1", "INSERT INTO app_db.t VALUES (1)", init_command="SELECT 1")
        with pytest.raises(concurrent.futures.TimeoutError):
            write.result(timeout=1)
        result = protectable.run("replication", "db1", **primary("available"))
        assert actions(result) == ["set_semi_sync"]
        write.result(timeout=5)
    protectable.sql("db1", "INSERT INTO app_db.t VALUES (2)")


def test_a_run_without_replicas_leaves_a_primary_waiting_as_it_was_asked_to(protectable: Pair) -> None:
    protected(protectable)
    protectable.forget_source("db2")
    assert protectable.run("replication", "db1", **primary("no_loss"))["changed"] is False
    ended = protectable.run("replication", "db1", **primary("no_loss", expected_replicas=0))
    assert semi_sync(protectable, "db1")["source_enabled"] is False
    assert ended["changed"]


def test_a_replica_never_waits_for_an_acknowledgement_of_what_it_applies(protectable: Pair) -> None:
    protectable.run("replication", "db2", **protectable.following(durability="no_loss"))
    protectable.sql("db2", f"SET GLOBAL {SWITCHED[protectable.image.mysql][0]} = 1")
    result = protectable.run("replication", "db2", **protectable.following(durability="no_loss"))
    assert actions(result) == ["set_semi_sync"]
    assert semi_sync(protectable, "db2")["source_enabled"] is False
    protectable.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    assert eventually(lambda: bool(protectable.sql("db2", "SHOW TABLES FROM app_db")))


def test_a_primary_with_data_gives_its_replicas_time_and_opens_without_them(pair: Pair) -> None:
    pair.run("replication", "db1", state="primary", durability="available")
    pair.sql("db1", "CREATE DATABASE app_db")
    pair.sql("db1", "SET GLOBAL read_only = 1")
    begin = time.monotonic()
    result = pair.run("replication", "db1", **primary("no_loss", timeout=1))
    assert 1 <= time.monotonic() - begin < 5
    assert result["replication"]["read_only"] is False
    assert semi_sync(pair, "db1")["source_enabled"] is False


def test_the_heartbeat_beats_once_made_and_check_mode_predicts_it(replicated: Pair) -> None:
    options: dict[str, t.Any] = {"state": "primary", **HEARTBEAT}
    predicted = replicated.run("replication", "db1", check=True, **options)
    assert not replicated.sql("db1", "SHOW EVENTS FROM webinfra")
    first = replicated.run("replication", "db1", **options)
    assert actions(first) == actions(predicted) == ["keep_heartbeat"]
    assert first["diff"] == predicted["diff"]
    assert first["diff"]["before"]["heartbeat"]["event"] is False
    assert replicated.run("replication", "db1", **options)["changed"] is False
    assert eventually(lambda: bool(replicated.sql("db2", "SELECT 1 FROM webinfra.heartbeat WHERE server_id = 1")))
    state = "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'webinfra'"
    assert replicated.sql("db2", state)[0]["STATUS"] != "ENABLED"


def test_a_heartbeat_that_was_switched_off_by_hand_beats_again(replicated: Pair) -> None:
    options: dict[str, t.Any] = {"state": "primary", **HEARTBEAT}
    replicated.run("replication", "db1", **options)
    replicated.sql("db1", "ALTER EVENT webinfra.heartbeat DISABLE")
    replicated.sql("db1", "SET GLOBAL event_scheduler = OFF")
    result = replicated.run("replication", "db1", **options)
    assert result["steps"] == [{"action": "keep_heartbeat", "reason": "missing: the event, the event scheduler"}]
    assert replicated.run("replication", "db1", **options)["changed"] is False


def test_a_closed_server_logs_no_heartbeat_of_its_own(pair: Pair) -> None:
    pair.run("replication", "db1", state="primary", **HEARTBEAT)
    assert eventually(lambda: bool(pair.sql("db1", "SELECT 1 FROM webinfra.heartbeat")))
    pair.sql("db1", f"SET GLOBAL {'super_read_only' if pair.image.mysql else 'read_only'} = 1")
    pair.sql("db1", "SELECT SLEEP(0.2)")  # one that is under way ends
    executed = pair.status("db1")["gtid_executed"]
    pair.sql("db1", "SELECT SLEEP(2.2)")
    assert pair.status("db1")["gtid_executed"] == executed


def test_nobody_logs_in_as_the_writer_of_the_heartbeat(pair: Pair) -> None:
    pair.run("replication", "db1", state="primary", **HEARTBEAT)
    rows = pair.sql("db1", "SELECT Host FROM mysql.user WHERE User = 'webinfra_heartbeat'")
    assert rows == [{"Host": "localhost"}]
    with pytest.raises(pymysql.MySQLError):
        pair.sql(
            "db1", "SELECT 1", user="webinfra_heartbeat", password=b"", unix_socket=str(pair.folder / "db1/mysqld.sock")
        )


def test_a_heartbeat_lives_in_a_database_with_any_name(pair: Pair) -> None:
    options: dict[str, t.Any] = {"state": "primary", "canary_database": "we`ird_100%s-x"}
    assert pair.run("replication", "db1", **options)["changed"]
    assert pair.run("replication", "db1", **options)["changed"] is False
    assert eventually(lambda: bool(pair.sql("db1", "SELECT 1 FROM `we``ird_100%%s-x`.heartbeat")))


def test_a_replica_gets_no_heartbeat_and_stays_as_it_was(replicated: Pair) -> None:
    before = replicated.status("db2")
    result = replicated.run("replication", "db2", state="primary", durability="no_loss", **HEARTBEAT)
    assert result["failed"]
    assert "two primaries" in result["msg"]
    assert {**replicated.status("db2"), "clock": 0} == {**before, "clock": 0}
