# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import threading
import typing as t

import pytest

from ansible_collections.webinfra.stack.tests.integration.servers import run_module

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.tests.integration.servers import Pair, Result

EVERY_TYPE = """CREATE TABLE app_db.zoo (
  a INT, b VARCHAR(20) CHARACTER SET latin1, c DECIMAL(20, 6), d DATETIME(6), e TIMESTAMP(3) NULL, f DOUBLE, g BLOB,
  h LONGTEXT, i JSON, j BIT(9), k ENUM('x', 'y'), l SET('p', 'q'), m GEOMETRY, n VARBINARY(9), o TIME(2), p YEAR,
  q INT AS (a + 1) VIRTUAL, `we``ird %%s` INT, PRIMARY KEY (b, c, d))"""


def checksum(pair: Pair, **options: t.Any) -> Result:
    servers = [{"name": name, "host": address} for name, address in pair.addresses.items()]
    login = {"login_user": "root", "login_password": "secret", "ca_file": str(pair.ca_file)}
    return run_module("replication_checksum", check=False, **{"servers": servers, "load": 1, **login, **options})


def differences(pair: Pair, **options: t.Any) -> list[dict[str, t.Any]]:
    result = checksum(pair, **options)
    assert "differences" in result, result["msg"]
    found: list[dict[str, t.Any]] = result["differences"]
    return found


def lie(pair: Pair, statement: str) -> None:
    """Change the replica alone, without a trace in its history, and not what has yet to arrive there."""
    pair.catch_up()
    pair.write_on_replica(statement, logged=False)


@pytest.fixture
def filled(replicated: Pair) -> Pair:
    replicated.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY, v VARCHAR(40))")
    replicated.sql("db1", "CREATE TABLE `we``ird-100%%s`.`t``%%s` (a INT, b VARCHAR(9), c INT, PRIMARY KEY (a, b))")
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT"
    replicated.sql("db1", f"INSERT INTO app_db.t {numbers} i, CONCAT('row ', i) FROM n")
    replicated.sql("db1", f"INSERT INTO `we``ird-100%%s`.`t``%%s` {numbers} i DIV 10, CONCAT('%%', i MOD 10), i FROM n")
    return replicated


@contextlib.contextmanager
def written_to(pair: Pair) -> c.Iterator[list[int]]:
    """Write to the table's end and to one row, as fast as the server takes it."""
    stop = threading.Event()
    count = [0]

    def write() -> None:
        login = {"user": "root", "password": b"secret"}
        with contextlib.closing(pair.connect("db1", **login)) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                count[0] += 1
                cursor.execute("INSERT INTO app_db.t VALUES (%s, 'new')", (5000 + count[0],))
                cursor.execute("UPDATE app_db.t SET v = %s WHERE i = 7", (f"hot {count[0]}",))
                cursor.execute("DELETE FROM app_db.t WHERE i = %s", (5000 + count[0] - 50,))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield count
    finally:
        stop.set()
        writer.join()


def test_a_replica_that_has_everything_agrees(filled: Pair) -> None:
    result = checksum(filled, chunk_rows=100)
    assert result.get("msg") is None
    assert (result["changed"], result["differences"], result["unsettled"]) == (False, [], [])
    assert result["rows"] >= 2000
    assert result["chunks"] >= 20


def test_a_value_of_every_type_is_compared(replicated: Pair) -> None:
    replicated.sql("db1", EVERY_TYPE)
    values = (
        "(1, 'é', 1.5, '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05.678', 0.1, 0xFF00, 'long', '{\"a\": 1}', 257,"
        " 'y', 'p,q', POINT(1, 2), 0xFFFE, '10:11:12.13', 2026, DEFAULT, 1)"
    )
    replicated.sql("db1", f"INSERT INTO app_db.zoo VALUES {values}")
    replicated.sql("db1", "INSERT INTO app_db.zoo (b, c, d) VALUES ('', 0, '2026-01-01')")
    assert differences(replicated, chunk_rows=1) == []
    for name in ("a", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "`we``ird %%s`"):
        lie(replicated, f"UPDATE app_db.zoo SET {name} = NULL WHERE a IS NOT NULL OR {name} IS NOT NULL")
        found = differences(replicated, chunk_rows=1)
        assert [difference["changed"] for difference in found] == [1], name


def test_a_changed_row_is_found_with_its_key(filled: Pair) -> None:
    lie(filled, "UPDATE app_db.t SET v = 'lie' WHERE i = 731")
    result = checksum(filled, chunk_rows=100)
    assert result["failed"]
    (difference,) = result["differences"]
    assert difference == {
        "replica": "db2",
        "table": "app_db.t",
        "where": "keys after 700 to 800",
        "missing": 0,
        "extra": 0,
        "changed": 1,
        "keys": ["731"],
    }
    assert "app_db.t, keys after 700 to 800: rows 1 changed, keys 731" in result["msg"]


def test_missing_rows_and_rows_too_many_are_found(filled: Pair) -> None:
    lie(filled, "DELETE FROM `we``ird-100%%s`.`t``%%s` WHERE a = 7 AND b = '%%3'")
    lie(filled, "INSERT INTO app_db.t VALUES (-5, ''), (20000, '')")
    found = differences(filled, chunk_rows=100)
    assert [(each["table"], each["missing"], each["extra"], each["keys"]) for each in found] == [
        ("app_db.t", 0, 1, ["-5"]),
        ("app_db.t", 0, 1, ["20000"]),
        ("we`ird-100%s.t`%s", 1, 0, ["7,%3"]),
    ]


def test_writes_are_no_false_alarm_and_hide_nothing(filled: Pair) -> None:
    with written_to(filled) as count:
        for _ in range(3):
            result = checksum(filled, chunk_rows=100)
            assert result.get("msg") is None
        lie(filled, "UPDATE app_db.t SET v = 'lie' WHERE i = 8")
        found = differences(filled, chunk_rows=100)
    assert count[0] > 100
    assert [(each["changed"], each["keys"]) for each in found] == [(1, ["8"])]


def test_a_table_without_a_key_is_compared_whole(filled: Pair) -> None:
    filled.sql("db1", "CREATE TABLE app_db.bare (v INT)")
    filled.sql("db1", "INSERT INTO app_db.bare VALUES (1), (1), (2)")
    assert differences(filled) == []
    lie(filled, "DELETE FROM app_db.bare WHERE v = 1 LIMIT 1")
    (difference,) = differences(filled)
    assert (difference["table"], difference["where"]) == ("app_db.bare", "2 rows instead of 3, no usable primary key")


def test_a_table_that_is_too_large_to_be_read_at_once_is_said_to_be_left_out(filled: Pair) -> None:
    filled.sql("db1", "CREATE TABLE app_db.bare (v INT)")
    filled.sql("db1", "INSERT INTO app_db.bare VALUES (1), (1), (2)")
    filled.sql("db1", "ANALYZE TABLE app_db.bare")
    result = checksum(filled, largest_unkeyed=0)
    assert result["failed"]
    assert [each["table"] for each in result["unsettled"]] == ["app_db.bare"]
    assert checksum(filled, largest_unkeyed=0, unsettled_allowed=True).get("failed", False) is False


def test_a_table_that_is_on_one_side_only_is_found(filled: Pair) -> None:
    lie(filled, "DROP TABLE `we``ird-100%%s`.`t``%%s`")
    lie(filled, "CREATE TABLE app_db.stray (i INT)")
    found = {each["table"]: each["where"] for each in differences(filled)}
    assert found == {
        "we`ird-100%s.t`%s": "the whole table is missing",
        "app_db.stray": "the whole table is too many",
    }


def test_a_broken_replica_is_not_compared(filled: Pair) -> None:
    filled.stop_applier("db2")
    result = checksum(filled)
    assert result["failed"]
    assert "broken: db2" in result["msg"]
