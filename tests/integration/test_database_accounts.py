# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pymysql
import pytest

from ansible_collections.webinfra.stack.tests.integration.servers import PASSWORD

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.tests.integration.servers import Pair


@pytest.fixture
def primary(pair: Pair) -> Pair:
    pair.run("replication", "db1", state="primary")
    return pair


def application(pair: Pair) -> dict[str, t.Any]:
    """Log in as the application; the driver uses TLS by itself only since 1.2."""
    return {
        "user": "app",
        "password": PASSWORD.encode(),
        "ssl_ca": str(pair.ca_file),
        "ssl_verify_cert": True,
        "ssl_verify_identity": True,
    }


def test_check_mode_predicts_the_first_run_and_the_second_changes_nothing(primary: Pair) -> None:
    predicted = primary.run("database_accounts", "db1", check=True, **primary.accounts())
    assert primary.status("db1")["gtid_executed"] == ""
    first = primary.run("database_accounts", "db1", **primary.accounts())
    second = primary.run("database_accounts", "db1", **primary.accounts())
    assert first["changed"] is predicted["changed"] is True
    assert first["changes"] == predicted["changes"]
    assert first["diff"] == predicted["diff"]
    assert (second["changed"], second["changes"]) == (False, [])
    assert second["diff"]["before"] == first["diff"]["after"]


def test_an_account_gets_in_over_tls_only_and_does_what_it_may(primary: Pair) -> None:
    primary.run("database_accounts", "db1", **primary.accounts())
    app = application(primary)
    primary.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)", **app)
    primary.sql("db1", "CREATE TABLE `we``ird-100%%s`.t (i INT PRIMARY KEY)", **app)
    with pytest.raises(pymysql.MySQLError, match="DROP command denied"):
        primary.sql("db1", "DROP TABLE app_db.t", **app)
    with pytest.raises(pymysql.MySQLError, match="Access denied"):
        primary.sql("db1", "SELECT 1", user="app", password=PASSWORD.encode(), ssl_disabled=True)


def test_an_underscore_in_a_database_opens_no_other_one(primary: Pair) -> None:
    primary.run("database_accounts", "db1", **primary.accounts())
    primary.sql("db1", "CREATE DATABASE appXdb")
    with pytest.raises(pymysql.MySQLError, match="CREATE command denied"):
        primary.sql("db1", "CREATE TABLE appXdb.t (i INT)", **application(primary))


def test_an_account_without_password_gets_in_and_reads_whether_the_server_takes_writes(primary: Pair) -> None:
    primary.run("database_accounts", "db1", **primary.accounts())
    answer = "SELECT IF(@@global.read_only, 'IS-REPLICA', 'IS-PRIMARY') AS s"
    assert primary.sql("db1", answer, user="router_check", password=b"", ssl_disabled=True) == [{"s": "IS-PRIMARY"}]
    plugin = "caching_sha2_password" if primary.image.mysql else "mysql_native_password"
    rows = primary.sql("db1", "SELECT plugin FROM mysql.user WHERE User = 'router_check'")
    assert rows == [{"plugin": plugin}]


def test_what_was_changed_by_hand_is_put_right(primary: Pair) -> None:
    primary.run("database_accounts", "db1", **primary.accounts())
    primary.sql("db1", "CREATE USER app@'10.1.1.1' IDENTIFIED BY 'x'")
    primary.sql("db1", "GRANT DELETE ON `app\\_db`.* TO app@'%%' WITH GRANT OPTION")
    primary.sql("db1", "REVOKE INSERT ON `app\\_db`.* FROM app@'%%'")
    primary.sql("db1", "ALTER USER monitoring@'%%' IDENTIFIED BY 'other' REQUIRE NONE")
    changes = primary.run("database_accounts", "db1", **primary.accounts())["changes"]
    assert changes == [
        "set the password of monitoring@%",
        "demand TLS of monitoring@%",
        "drop app@10.1.1.1",
        "revoke DELETE, GRANT OPTION on app_db.* from app@%",
        "grant INSERT on app_db.* to app@%",
    ]
    assert primary.run("database_accounts", "db1", **primary.accounts())["changed"] is False


def test_an_absent_account_is_gone(primary: Pair) -> None:
    primary.run("database_accounts", "db1", **primary.accounts())
    absent: dict[str, t.Any] = {"accounts": [{"name": "app", "state": "absent"}]}
    assert primary.run("database_accounts", "db1", **absent)["changes"] == ["drop app@%", "drop app@10.99.0.1"]
    assert primary.run("database_accounts", "db1", **absent)["changed"] is False


def test_a_server_that_takes_no_writes_is_refused_and_left_alone(pair: Pair) -> None:
    before = pair.status("db1")
    result = pair.run("database_accounts", "db1", **pair.accounts())
    assert result["failed"]
    assert "takes no writes" in result["msg"]
    assert pair.status("db1") == before


def test_a_replica_is_refused_and_left_alone(replicated: Pair) -> None:
    before = replicated.status("db2")
    result = replicated.run("database_accounts", "db2", **replicated.accounts("other"))
    assert result["failed"]
    assert "Run this on the primary" in result["msg"]
    assert replicated.status("db2") == before
