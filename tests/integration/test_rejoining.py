# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that was a primary: it is closed, what it has alone is found, and it follows another one."""

from __future__ import annotations

import functools
import threading
import typing as t

import pymysql
import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._module.fence import How, Means, close
from ansible_collections.webinfra.stack.plugins.module_utils._module.login import session_for
from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.integration.servers import run_module

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.tests.integration.servers import Pair, Result
    from ansible_collections.webinfra.stack.tests.integration.trio import Trio

eventually = functools.partial(waiting.eventually, seconds=10)
UNIT = "of-the-test.service"


def write(pair: Pair, name: str, *numbers: int) -> None:
    if not pair.sql(name, "SHOW TABLES FROM app_db"):
        pair.sql(name, "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    for number in numbers:
        pair.sql(name, "INSERT INTO app_db.t VALUES (%s)", number)


def rows(pair: Pair, name: str) -> list[int]:
    return [row["i"] for row in pair.sql(name, "SELECT i FROM app_db.t ORDER BY i")]


def same_position(pair: Pair) -> bool:
    variable = "gtid_executed" if pair.image.mysql else "gtid_current_pos"
    return len({str(pair.sql(name, f"SELECT @@global.{variable} AS at")[0]["at"]) for name in pair.addresses}) == 1


def promote(pair: Pair) -> None:
    """Let db2 take over from db1, which is closed, as a failover does."""
    eventually(lambda: same_position(pair))
    pair.forget_source("db2")
    pair.sql("db1", f"SET GLOBAL {'super_read_only' if pair.image.mysql else 'read_only'} = 1")
    assert pair.run("replication", "db2", state="primary")["changed"]


def following_db2(pair: Pair, **options: t.Any) -> dict[str, t.Any]:
    return pair.following(source_host=pair.addresses["db2"], **options)


def test_a_former_primary_without_transactions_of_its_own_follows_its_successor(replicated: Pair) -> None:
    write(replicated, "db1", 1, 2)
    promote(replicated)
    write(replicated, "db2", 3)
    predicted = replicated.run("replication", "db1", check=True, **following_db2(replicated))
    first = replicated.run("replication", "db1", **following_db2(replicated))
    assert first.get("msg") is None
    assert first["changed"] is predicted["changed"] is True
    assert first["steps"] == predicted["steps"]
    eventually(lambda: rows(replicated, "db1") == [1, 2, 3])
    write(replicated, "db2", 4)
    eventually(lambda: rows(replicated, "db1") == [1, 2, 3, 4])
    assert replicated.run("replication", "db1", **following_db2(replicated))["changed"] is False


def test_roles_change_to_and_fro(replicated: Pair) -> None:
    write(replicated, "db1", 1)
    promote(replicated)
    write(replicated, "db2", 2)
    replicated.run("replication", "db1", **following_db2(replicated))
    eventually(lambda: same_position(replicated))
    replicated.forget_source("db1")
    replicated.sql("db2", f"SET GLOBAL {'super_read_only' if replicated.image.mysql else 'read_only'} = 1")
    assert replicated.run("replication", "db1", state="primary")["changed"]
    write(replicated, "db1", 3)
    result = replicated.run("replication", "db2", **replicated.following())
    assert result.get("msg") is None
    eventually(lambda: rows(replicated, "db2") == [1, 2, 3])


def purge(pair: Pair, name: str) -> bool:
    """Delete all logs but the newest; the server keeps those that the connection of a former replica still reads."""
    pair.sql(name, "PURGE BINARY LOGS TO %s", pair.sql(name, "SHOW BINARY LOGS")[-1]["Log_name"])
    return len(pair.sql(name, "SHOW BINARY LOGS")) == 1


def saving(pair: Pair, on: str, gtids: str, **options: t.Any) -> Result:
    """Predict what is saved: the files of a server are in its container."""
    login = {"login_host": pair.addresses[on], "login_password": "secret", "ca_file": str(pair.ca_file)}
    return run_module("errant_transactions", check=True, name=on, gtids=gtids, **login, **options)


def test_what_a_former_primary_has_alone_is_refused_counted_and_found(replicated: Pair) -> None:
    write(replicated, "db1", 1, 2)
    promote(replicated)
    unlocked = "super_read_only" if replicated.image.mysql else "read_only"
    replicated.sql("db1", f"SET GLOBAL {unlocked} = 0")
    replicated.sql("db1", "FLUSH BINARY LOGS")
    write(replicated, "db1", 11, 12, 13)
    replicated.sql("db1", f"SET GLOBAL {unlocked} = 1")
    write(replicated, "db2", 3)
    refused = replicated.run("replication", "db1", **following_db2(replicated))
    assert "It has 3 transactions that" in refused["msg"]
    assert "webinfra.stack.rejoin" in refused["msg"]
    found = saving(replicated, "db1", replicated.status("db2")["gtid_executed"])
    assert (found["changed"], found["count"], found["missing"]) == (True, 3, "")
    assert found["directory"].startswith("/var/lib/webinfra/errant/db1-")
    replicated.sql("db1", "FLUSH BINARY LOGS")
    if replicated.sql("db1", "SHOW VARIABLES LIKE 'slave_connections_needed_for_purge'"):
        replicated.sql("db1", "SET GLOBAL slave_connections_needed_for_purge = 0")
    eventually(lambda: purge(replicated, "db1"))
    purged = saving(replicated, "db1", replicated.status("db2")["gtid_executed"])
    assert (purged["count"], purged["missing"]) == (0, found["gtids"])


def test_a_server_with_nothing_of_its_own_has_nothing_to_save(replicated: Pair) -> None:
    write(replicated, "db1", 1)
    promote(replicated)
    found = saving(replicated, "db1", replicated.status("db2")["gtid_executed"])
    assert (found["changed"], found["gtids"], found["count"], found["directory"]) == (False, "", 0, None)


def test_what_the_source_of_a_running_replica_wrote_is_not_its_own(replicated: Pair) -> None:
    write(replicated, "db1", 1)
    eventually(lambda: same_position(replicated))
    source = replicated.status("db1")
    write(replicated, "db1", 2)
    eventually(lambda: rows(replicated, "db2") == [1, 2])
    assert saving(replicated, "db2", source["gtid_executed"])["count"] > 0
    origin = source["server_uuid"] or str(source["server_id"])
    assert saving(replicated, "db2", source["gtid_executed"], origin=origin)["count"] == 0


def fence(pair: Pair, **options: t.Any) -> Result:
    return pair.run("database_fence", "db1", unit=UNIT, reason="a contract test", **options)


def test_a_primary_is_closed_and_its_clients_are_cut(replicated: Pair) -> None:
    write(replicated, "db1", 1)
    client = replicated.connect(
        "db1", user="app", password=replicated.accounts()["accounts"][2]["password"].encode(), ssl={}
    )
    predicted = fence(replicated, check=True)
    assert replicated.status("db1")["role"] == "primary"
    result = fence(replicated)
    assert (result["changed"], result["how"]) == (predicted["changed"], predicted["how"]) == (True, "closed")
    assert result["diff"] == predicted["diff"]
    assert replicated.status("db1")["read_only"]
    with pytest.raises(pymysql.OperationalError), client.cursor() as cursor:
        cursor.execute("SELECT 1")
    again = fence(replicated)
    assert (again["changed"], again["how"]) == (False, "was_closed")


def test_a_primary_that_waits_for_a_lost_replica_is_ended_and_comes_back_closed(trio: Trio) -> None:
    params: dict[str, t.Any] = {"timeout": 1, "restart_timeout": 60, "login_user": "root", "login_unix_socket": None}
    for name in ("db2", "db3"):
        trio.kill(name)
    waiting_writer = threading.Thread(target=_write_and_die, args=(trio,))
    waiting_writer.start()
    eventually(lambda: trio.sql("db1", "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX")[0]["n"] > 0)
    ended: list[str] = []

    def end(unit: str) -> None:
        ended.append(unit)
        trio.kill("db1")

    means = Means(
        end=end,
        start=lambda _unit: trio.revive("db1"),
        state=lambda _unit: "active" if not ended else "inactive",
        session=lambda: session_for({**params, **_login(trio)}, statement_timeout=2),
    )
    assert close(UNIT, {**params, **_login(trio)}, means, check_mode=False) is How.KILLED
    assert ended == [UNIT]
    waiting_writer.join(10)
    assert trio.open_servers() == []
    assert close(UNIT, {**params, **_login(trio)}, means, check_mode=False) is How.WAS_CLOSED


def _login(trio: Trio) -> dict[str, t.Any]:
    return {
        "login_host": trio.addresses["db1"],
        "login_port": 3306,
        "login_password": "secret",
        "ca_file": None,
        "connect_timeout": 1,
    }


def _write_and_die(trio: Trio) -> None:
    client = trio.client("db1")
    with pytest.raises(pymysql.MySQLError), client.cursor() as cursor:
        cursor.execute("INSERT INTO app_db.t (i) VALUES (999)")
