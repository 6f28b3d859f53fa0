# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import re
import threading
import time
import typing as t

import pytest

from ansible_collections.webinfra.stack.tests.integration.servers import PASSWORD, docker, run_module
from ansible_collections.webinfra.stack.tests.integration.test_durability import unprotect
from ansible_collections.webinfra.stack.tests.integration.test_replication import eventually

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.tests.integration.servers import Pair
    from ansible_collections.webinfra.stack.tests.integration.trio import Trio


RUNS = int(os.environ.get("WEBINFRA_TEST_RUNS", "100"))
"""Of a healthy pair, which must not show one finding."""
FINDING_SECONDS = 10
FILLER = "/dev/shm/full"  # noqa: S108 (in the container)
HEARTBEAT: dict[str, t.Any] = {"max_heartbeat_age": 5}


@contextlib.contextmanager
def frozen(pair: Pair, name: str) -> c.Iterator[None]:
    docker("pause", pair.container(name))
    try:
        yield
    finally:
        docker("unpause", pair.container(name))


def names(result: dict[str, t.Any]) -> set[str]:
    return {finding["name"] for finding in result["findings"]}


def test_a_healthy_pair_passes_and_a_row_gets_through(replicated: Pair) -> None:
    result = replicated.check(canary=True, primary="db1", timeout=5)
    assert result.get("msg") is None
    assert (result["changed"], result["primary"], result["replicas"]) == (False, "db1", ["db2"])
    assert result["canary"]["seconds"]["db2"] < 5


def test_a_server_that_acknowledges_and_was_not_named_is_a_finding(trio: Trio) -> None:
    trio.move("switchover", target="db2", durability="no_loss")
    login = {"login_user": "monitoring", "login_password": PASSWORD, "ca_file": str(trio.ca_file)}

    def found(*asked: str) -> set[str]:
        servers = [{"name": name, "host": trio.addresses[name]} for name in asked]
        return names(run_module("replication_check", check=False, servers=servers, **login))

    assert eventually(lambda: found("db1", "db2", "db3") == set(), seconds=10)
    assert "stranger_acknowledges" in found("db1", "db2")


def test_check_mode_writes_nothing(replicated: Pair) -> None:
    before = replicated.status("db1")
    result = replicated.check(check=True, canary=True)
    assert result["canary"]["flown"] is False
    assert replicated.status("db1") == before


def test_a_stopped_applier_is_a_finding_and_the_canary_is_not_flown_to_it(replicated: Pair) -> None:
    replicated.stop_applier("db2")
    result = replicated.check(canary=True)
    assert result["failed"]
    assert names(result) == {"thread_stopped"}
    assert result["msg"].splitlines()[1].startswith("- db2: thread_stopped (critical): its SQL thread")


def test_a_conflict_is_told_with_the_row_and_the_transaction(replicated: Pair) -> None:
    replicated.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    replicated.catch_up()
    replicated.write_on_replica("INSERT INTO app_db.t VALUES (1)")
    replicated.sql("db1", "INSERT INTO app_db.t VALUES (1)")
    result = finds(replicated, "thread_stopped", "errant_transactions")
    # MariaDB's strict mode stops at the foreign transaction before it comes to the row.
    assert ("Duplicate entry '1'" if replicated.image.mysql else "0-2-") in result["msg"]


def test_a_frozen_server_does_not_hold_up_the_check(replicated: Pair) -> None:
    with frozen(replicated, "db2"):
        begin = time.monotonic()
        result = replicated.check(canary=True)
        assert time.monotonic() - begin < 2
    assert names(result) == {"server_unreachable"}
    assert result["primary"] == "db1"


def test_a_lost_primary_is_told(replicated: Pair) -> None:
    with frozen(replicated, "db1"):
        result = replicated.check()
    assert {"server_unreachable", "no_primary"} <= names(result)


def test_two_primaries_are_told(replicated: Pair) -> None:
    replicated.forget_source("db2")
    replicated.run("replication", "db2", state="primary")
    result = replicated.check(canary=True)
    assert names(result) == {"two_primaries"}
    assert result["canary"]["flown"] is False


def test_a_finding_that_heals_in_time_is_none(replicated: Pair) -> None:
    replicated.stop_applier("db2")
    replicated.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    replicated.run("replication", "db2", **replicated.following(repair=True))
    result = replicated.check(timeout=5, canary=True)
    assert result["findings"] == []


@pytest.fixture
def beating(replicated: Pair) -> Pair:
    """Return a pair with a heartbeat that has arrived, and a table."""
    replicated.run("replication", "db1", state="primary", canary_database="webinfra")
    replicated.sql("db1", "CREATE TABLE app_db.t (i INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)")
    assert eventually(lambda: replicated.check(**HEARTBEAT)["findings"] == [])
    return replicated


@pytest.fixture
def acknowledged(beating: Pair) -> c.Iterator[Pair]:
    """Return a pair whose commits wait for the replica, for a second at most."""
    beating.run("replication", "db1", state="primary", durability="available")
    beating.run("replication", "db2", **beating.following(durability="available"))
    beating.run("replication", "db1", state="primary", durability="available", expected_replicas=1)
    yield beating
    unprotect(beating)


@contextlib.contextmanager
def writing(pair: Pair) -> c.Iterator[None]:
    """Write on the primary all the time."""
    done = threading.Event()

    def write() -> None:
        with contextlib.closing(pair.connect("db1")) as connection, connection.cursor() as cursor:
            while not done.is_set():
                cursor.execute("INSERT INTO app_db.t (v) VALUES ('x')")

    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        writers = [pool.submit(write), pool.submit(write)]
        try:
            yield
        finally:
            done.set()
            for writer in writers:
                writer.result()


def finds(pair: Pair, *expected: str, **options: t.Any) -> dict[str, t.Any]:
    """Check until exactly this is found, and return what was said."""
    deadline = time.monotonic() + FINDING_SECONDS
    while True:
        begin = time.monotonic()
        result = pair.check(**options)
        assert time.monotonic() - begin < 2, "a check takes two seconds at most"
        if names(result) == set(expected):
            return result
        assert time.monotonic() < deadline, f"{sorted(names(result))} of {result['servers']}"
        time.sleep(0.05)


def start_threads(pair: Pair, thread: str = "") -> None:
    pair.sql("db2", f"START {'REPLICA' if pair.image.mysql else 'SLAVE'} {thread}")


def stop_threads(pair: Pair, thread: str = "") -> None:
    pair.sql("db2", f"STOP {'REPLICA' if pair.image.mysql else 'SLAVE'} {thread}")


def never_finds_anything(pair: Pair) -> None:
    longest = 0.0
    with writing(pair):
        for run in range(RUNS):
            begin = time.monotonic()
            result = pair.check(primary="db1", longest_outage=3600, **HEARTBEAT)
            longest = max(longest, time.monotonic() - begin)
            assert result["findings"] == [], f"run {run}"
    assert longest < 2


def test_a_healthy_pair_under_writes_never_has_a_finding(beating: Pair) -> None:
    never_finds_anything(beating)


def test_nor_does_a_pair_whose_commits_wait_for_the_replica(acknowledged: Pair) -> None:
    assert acknowledged.status("db1")["semi_sync"]["acknowledging_replicas"] == 1
    never_finds_anything(acknowledged)


def test_a_thread_that_stopped_is_lag_by_the_heartbeat_although_the_engine_says_nothing(beating: Pair) -> None:
    beating.stop_applier("db2")
    reasons = {one["name"]: one["reason"] for one in finds(beating, "thread_stopped", "lag", max_lag=1)["findings"]}
    assert "the engine says nothing, the heartbeat " in reasons["lag"]


def test_an_errant_write_is_found_while_both_threads_run(beating: Pair) -> None:
    if not beating.image.mysql:
        beating.sql("db2", "SET GLOBAL gtid_strict_mode = 0")
    try:
        beating.write_on_replica("INSERT INTO app_db.t (i, v) VALUES (1000000, 'errant')")
        beating.sql("db1", "INSERT INTO app_db.t (v) VALUES ('later')")
        assert eventually(lambda: bool(beating.sql("db2", "SELECT i FROM app_db.t WHERE v = 'later'")))
        result = finds(beating, "errant_transactions")
    finally:
        if not beating.image.mysql:
            beating.sql("db2", "SET GLOBAL gtid_strict_mode = 1")
    replica = result["servers"]["db2"]
    assert (replica["io_thread"], replica["sql_thread"]) == ("running", "running")
    # On MariaDB the foreign server id is all there is to see.
    assert (replica["server_uuid"] or "0-2-") in replica["gtid_errant"]


def test_a_writable_replica_is_found(replicated: Pair) -> None:
    replicated.sql("db2", "SET GLOBAL read_only = 0")
    finds(replicated, "replica_writable")


def test_a_server_id_that_is_there_twice_is_found(replicated: Pair) -> None:
    replicated.sql("db2", "SET GLOBAL server_id = 1")
    try:
        finds(replicated, "duplicate_server_id")
    finally:
        replicated.sql("db2", "SET GLOBAL server_id = 2")


def test_a_heartbeat_that_nobody_has_set_up_is_found_where_one_is_asked_for(replicated: Pair) -> None:
    finds(replicated)
    result = finds(replicated, "heartbeat_missing", **HEARTBEAT)
    assert [finding["server"] for finding in result["findings"]] == ["db1", "db2"]


def test_a_heartbeat_that_has_stopped_is_found_on_the_primary_and_is_no_lag(beating: Pair) -> None:
    beating.sql("db1", "ALTER EVENT webinfra.heartbeat DISABLE")
    result = finds(beating, "heartbeat_old", max_heartbeat_age=1, max_lag=1)
    assert result["findings"][0]["server"] == "db1"


def test_a_replica_that_waits_for_a_lock_lags(beating: Pair) -> None:
    with contextlib.closing(beating.connect("db2")) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES app_db.t READ")
        for _ in range(10):
            beating.sql("db1", "INSERT INTO app_db.t (v) VALUES ('x')")
        result = finds(beating, "lag", max_lag=1)
        assert result["servers"]["db2"]["transactions_behind"] >= 10
        assert "transactions behind: " in result["findings"][0]["reason"]
        cursor.execute("UNLOCK TABLES")
    finds(beating, max_lag=1)


def test_binary_logs_that_a_replica_still_needs_are_missed(replicated: Pair) -> None:
    stop_threads(replicated)
    replicated.sql("db1", "CREATE TABLE app_db.missed (i INT PRIMARY KEY)")
    replicated.sql("db1", "FLUSH BINARY LOGS")
    newest = replicated.sql("db1", "SHOW BINARY LOGS")[-1]["Log_name"]
    if replicated.sql("db1", "SHOW VARIABLES LIKE 'slave_connections_needed_for_purge'"):
        replicated.sql("db1", "SET GLOBAL slave_connections_needed_for_purge = 0")
    replicated.sql("db1", "PURGE BINARY LOGS TO %s", newest)
    result = finds(replicated, "thread_stopped", "purged_transactions_needed")
    reasons = {one["name"]: one["reason"] for one in result["findings"]}
    assert "db1 has purged 1 transactions that it lacks" in reasons["purged_transactions_needed"]
    # The engine sees it the same way.
    start_threads(replicated)
    assert eventually(lambda: {"1236", "13114"} & set(re.findall(r"\d+", str(replicated.check().get("msg")))))


def test_a_retention_that_is_shorter_than_an_outage_is_a_warning(replicated: Pair) -> None:
    result = finds(replicated, "retention_too_short", longest_outage=10**9)
    assert result["failed"]
    assert "failed" not in finds(replicated, "retention_too_short", longest_outage=10**9, fail_on="critical")


def test_the_clocks_of_one_machine_do_not_differ(replicated: Pair) -> None:
    result = finds(replicated, max_clock_skew=0)
    assert all(abs(server["clock_offset_seconds"]) < 1 for server in result["servers"].values())


def test_a_clock_that_is_ten_minutes_off_is_found(replicated: Pair) -> None:
    """For the account that checks; the clock of a container is that of its host."""
    replicated.sql("db2", "SET GLOBAL init_connect = 'SET SESSION timestamp = UNIX_TIMESTAMP() + 600'")
    try:
        result = finds(replicated, "clock_skew")
    finally:
        replicated.sql("db2", "SET GLOBAL init_connect = ''")
    (finding,) = result["findings"]
    assert finding["server"] == "db2"
    assert result["servers"]["db2"]["clock_offset_seconds"] == pytest.approx(600, abs=2)
    finds(replicated)


def test_a_server_uuid_that_is_there_twice_is_found(replicated: Pair) -> None:
    if not replicated.image.mysql:
        pytest.skip("only MySQL has one")
    identity = "/var/lib/mysql/auto.cnf"
    theirs, own = (docker("exec", replicated.container(name), "cat", identity) for name in ("db1", "db2"))
    try:
        docker("exec", replicated.container("db2"), "sh", "-c", f"printf '%s\\n' '{theirs}' > {identity}")
        replicated.restart("db2", "read_only=1")
        finds(replicated, "duplicate_server_uuid", "thread_stopped")
    finally:
        docker("exec", replicated.container("db2"), "sh", "-c", f"printf '%s\\n' '{own}' > {identity}")
        replicated.restart("db2", "read_only=1")


def test_a_replica_under_another_server_id_is_none(replicated: Pair) -> None:
    stop_threads(replicated)
    replicated.sql("db2", "SET GLOBAL server_id = 77")
    start_threads(replicated)
    try:
        replicated.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
        finds(replicated)
    finally:
        replicated.sql("db2", "SET GLOBAL server_id = 2")


def test_a_long_open_transaction_on_the_primary_is_none(beating: Pair) -> None:
    with contextlib.closing(beating.connect("db1")) as connection, connection.cursor() as cursor:
        cursor.execute("START TRANSACTION")
        cursor.execute("INSERT INTO app_db.t (v) VALUES ('open')")
        finds(beating, **HEARTBEAT)
        cursor.execute("ROLLBACK")


def test_a_replica_that_is_far_behind_is_told_by_how_much_in_time_and_catches_up(replicated: Pair) -> None:
    replicated.sql("db1", "CREATE TABLE app_db.t (i INT AUTO_INCREMENT PRIMARY KEY)")
    replicated.sql(
        "db1",
        "CREATE PROCEDURE app_db.many() BEGIN DECLARE i INT DEFAULT 0;"
        " WHILE i < 20000 DO INSERT INTO app_db.t () VALUES (); SET i = i + 1; END WHILE; END",
    )
    stop_threads(replicated)
    for _ in range(10):
        replicated.sql("db1", "CALL app_db.many()")
    result = finds(replicated, "thread_stopped")
    assert result["servers"]["db2"]["transactions_behind"] >= 200_000
    start_threads(replicated)
    assert replicated.check(canary=True, timeout=300, canary_timeout=300).get("msg") is None
    assert replicated.sql("db2", "SELECT COUNT(*) AS rows_there FROM app_db.t") == [{"rows_there": 200_000}]


def test_commits_that_no_longer_wait_are_found(acknowledged: Pair) -> None:
    finds(acknowledged, semi_sync_required=True)
    stop_threads(acknowledged, "IO_THREAD")
    acknowledged.sql("db1", "INSERT INTO app_db.t (v) VALUES ('not acknowledged')")
    result = finds(acknowledged, "semi_sync_degraded", "thread_stopped")
    reasons = [one["reason"] for one in result["findings"] if one["name"] == "semi_sync_degraded"]
    assert reasons == [
        "commits no longer wait for a replica (0 of 1 replicas acknowledge; a commit waits for 1 s at most)"
    ]
    start_threads(acknowledged, "IO_THREAD")
    finds(acknowledged, semi_sync_required=True)


def test_without_semi_sync_there_is_a_finding_only_where_it_is_asked_for(replicated: Pair) -> None:
    finds(replicated, "semi_sync_degraded", semi_sync_required=True)


def test_the_findings_are_left_for_prometheus(beating: Pair) -> None:
    file = beating.folder / "replication.prom"
    beating.check(check=True, textfile=str(file))
    assert not file.exists()
    assert beating.check(textfile=str(file), **HEARTBEAT)["findings"] == []
    text = file.read_text(encoding="utf-8")
    assert 'webinfra_replication_finding{name="thread_stopped"} 0\n' in text
    assert 'webinfra_replication_heartbeat_lag_seconds{server="db2"} ' in text
    beating.stop_applier("db2")
    assert beating.check(textfile=str(file))["failed"]
    assert 'webinfra_replication_finding{name="thread_stopped"} 1\n' in file.read_text(encoding="utf-8")


def test_ten_thousand_intervals_are_read_in_time(replicated: Pair) -> None:
    if not replicated.image.mysql:
        pytest.skip("only MySQL's sets have intervals")
    stop_threads(replicated)
    holes = ":".join(str(number) for number in range(1, 20_000, 2))
    for name in ("db1", "db2"):
        replicated.sql(name, "SET GLOBAL gtid_purged = %s", f"+74768b4c-e77c-11f1-8748-0242ac130006:{holes}")
    start_threads(replicated)
    finds(replicated)


@pytest.fixture
def full(beating: Pair) -> c.Iterator[Pair]:
    """Return a pair whose replica has no space for what comes from its source."""
    container = beating.container("db2")
    beating.restart("db2", "relay_log=/dev/shm/relay\nread_only=1")
    beating.forget_source("db2")
    assert beating.run("replication", "db2", **beating.following())["changed"]
    try:
        docker("exec", container, "sh", "-c", f"dd if=/dev/zero of={FILLER} bs=1k count=64000 2> /dev/null")
        for _ in range(4):
            beating.sql("db1", "INSERT INTO app_db.t (v) VALUES (%s)", os.urandom(500_000).hex())
        yield beating
    finally:
        docker("exec", container, "rm", FILLER)
        beating.restart("db2", "read_only=1")


def test_a_full_disk_is_found_in_time_although_the_status_hangs_or_says_that_all_is_well(full: Pair) -> None:
    disk = "disk_full" if full.image.mysql else "status_hangs"
    assert eventually(lambda: disk in names(full.check()))
    begin = time.monotonic()
    result = full.check()
    assert time.monotonic() - begin < 2
    (finding,) = [one for one in result["findings"] if one["name"] == disk]
    assert (finding["server"], finding["severity"]) == ("db2", "critical")
    assert "waits for space on the disk" in finding["reason"]
    assert result["primary"] == "db1"

    begin = time.monotonic()
    said = full.run("replication_info", "db2")["replication"]
    assert time.monotonic() - begin < 2
    assert (said["role"], said["io_thread"], said["waits_for_disk"]) == ("replica", "running", True)
    assert said["unread"] == (None if full.image.mysql else "SHOW SLAVE STATUS")
