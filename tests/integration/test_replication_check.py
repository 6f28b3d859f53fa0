# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.webinfra.stack.tests.integration.servers import docker

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.tests.integration.servers import Pair


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
    time.sleep(0.5)
    replicated.write_on_replica("INSERT INTO app_db.t VALUES (1)")
    replicated.sql("db1", "INSERT INTO app_db.t VALUES (1)")
    time.sleep(0.5)
    result = replicated.check()
    assert names(result) == {"thread_stopped", "errant_transactions"}
    # MariaDB's strict mode stops at the foreign transaction before it comes to the row.
    assert ("Duplicate entry '1'" if replicated.image.mysql else "0-2-") in result["msg"]


def test_a_frozen_server_does_not_hold_up_the_check(replicated: Pair) -> None:
    with frozen(replicated, "db2"):
        begin = time.monotonic()
        result = replicated.check(canary=True)
        assert time.monotonic() - begin < 10
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
