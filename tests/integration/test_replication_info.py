# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.webinfra.stack.tests.integration.servers import PASSWORD, docker
from ansible_collections.webinfra.stack.tests.integration.test_replication import eventually

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.tests.integration.servers import Pair

MONITORING = {"login_user": "monitoring", "login_password": PASSWORD}
COUNTED = "SHOW GLOBAL STATUS LIKE 'Questions'"


def info(pair: Pair, name: str, **options: t.Any) -> dict[str, t.Any]:
    result = pair.run("replication_info", name, **options)
    assert "failed" not in result, result["msg"]
    assert result["changed"] is False
    replication: dict[str, t.Any] = result["replication"]
    return replication


def test_a_pair_is_told_in_the_same_words_on_every_engine(replicated: Pair) -> None:
    primary = info(replicated, "db1", **MONITORING)
    assert (primary["role"], primary["source"], primary["io_thread"]) == ("primary", None, None)
    assert eventually(lambda: info(replicated, "db1")["connected_replicas"] == [replicated.addresses["db2"]])
    assert eventually(lambda: info(replicated, "db2")["gtid_executed"] == info(replicated, "db1")["gtid_executed"])
    replica = info(replicated, "db2", **MONITORING)
    assert (replica["role"], replica["source"]["host"]) == ("replica", replicated.addresses["db1"])
    assert (replica["source"]["tls"], replica["source"]["tls_verified"]) == (True, True)
    assert (replica["io_thread"], replica["sql_thread"], replica["lag_seconds"]) == ("running", "running", 0)
    assert (replica["transactions_to_apply"], replica["waits_for_disk"], replica["unread"]) == (0, False, None)
    assert replica.keys() == primary.keys()


def beside(pair: Pair, **options: t.Any) -> dict[str, t.Any]:
    asking = {"source_user": "replication", "source_password": PASSWORD, **options}
    result = pair.run("replication_info", "db2", **MONITORING, **asking)
    found: dict[str, t.Any] = result["beside_source"]
    return found


def test_what_a_replica_lacks_and_has_alone_is_told_when_its_source_is_asked(replicated: Pair) -> None:
    assert replicated.run("replication_info", "db2")["beside_source"] is None
    level = {"problem": None, "transactions_behind": 0, "errant_transactions": ""}
    assert eventually(lambda: beside(replicated) == level)
    replicated.stop_applier("db2")
    replicated.sql("db1", "CREATE TABLE app_db.late (i INT PRIMARY KEY)")
    assert beside(replicated)["transactions_behind"] == 1
    replicated.write_on_replica("CREATE DATABASE stray")
    assert beside(replicated)["errant_transactions"] != ""
    wrong = beside(replicated, source_password="wrong")
    assert (wrong["transactions_behind"], wrong["errant_transactions"]) == (None, None)
    assert "ccess denied" in wrong["problem"]


def test_check_mode_says_the_same(replicated: Pair) -> None:
    said = replicated.run("replication_info", "db2", check=True)["replication"]
    assert said["role"] == "replica"


@pytest.mark.parametrize("name", ["db1", "db2"])
def test_an_answer_takes_few_statements(replicated: Pair, name: str) -> None:
    def questions() -> int:
        return int(replicated.sql(name, COUNTED)[0]["Value"])

    before = questions()
    info(replicated, name, **MONITORING)
    # Beyond its own: SET NAMES and autocommit, whether the connection is encrypted, and the count itself.
    own = 3 if replicated.image.mysql else 4
    assert questions() - before <= own + 4


def test_the_heartbeat_goes_on_while_the_applier_stands(replicated: Pair) -> None:
    replicated.run("replication", "db1", state="primary", canary_database="webinfra")
    assert eventually(lambda: (info(replicated, "db2", **MONITORING)["heartbeat_age_seconds"] or 99) < 2)
    replicated.stop_applier("db2")
    assert eventually(lambda: info(replicated, "db2", **MONITORING)["heartbeat_age_seconds"] > 2)
    assert info(replicated, "db2")["lag_seconds"] is None
    assert info(replicated, "db2")["transactions_to_apply"] > 0
    assert info(replicated, "db1")["heartbeat_age_seconds"] < 2


def test_a_heartbeat_elsewhere_is_not_seen(replicated: Pair) -> None:
    replicated.run("replication", "db1", state="primary", canary_database="webinfra")
    assert eventually(lambda: info(replicated, "db1")["heartbeat_age_seconds"] is not None)
    assert info(replicated, "db1", heartbeat_database="el`se-where%s")["heartbeat_age_seconds"] is None


def test_purged_transactions_are_told(replicated: Pair) -> None:
    assert info(replicated, "db1")["gtid_purged"] == ""
    executed = info(replicated, "db1")["gtid_executed"]
    assert eventually(lambda: info(replicated, "db2")["gtid_executed"] == executed)
    replicated.sql("db1", "FLUSH BINARY LOGS")
    newest = replicated.sql("db1", "SHOW BINARY LOGS")[-1]["Log_name"]
    assert eventually(lambda: purged(replicated, newest))
    assert info(replicated, "db1", **MONITORING)["gtid_purged"] == executed


def purged(pair: Pair, newest: str) -> bool:
    """Purge once the replica reads the newest log: a source keeps what is being read."""
    pair.sql("db1", "PURGE BINARY LOGS TO %s", newest)
    return len(pair.sql("db1", "SHOW BINARY LOGS")) == 1


def test_a_frozen_server_fails_in_time(replicated: Pair) -> None:
    docker("pause", replicated.container("db2"))
    try:
        begin = time.monotonic()
        result = replicated.run("replication_info", "db2")
        assert time.monotonic() - begin < 2
    finally:
        docker("unpause", replicated.container("db2"))
    assert result["failed"]
    assert "What to do: " in result["msg"]
