# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
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


def test_an_old_password_gets_in_until_it_is_discarded(primary: Pair) -> None:
    app = application(primary)
    fresh = {**app, "password": b"n'e\"w \\%s" + b"x" * 54}
    renewed = primary.accounts()
    renewed["accounts"][2]["password"] = fresh["password"].decode()
    primary.run("database_accounts", "db1", **primary.accounts())
    predicted = primary.run("database_accounts", "db1", check=True, old_passwords="keep", **renewed)
    kept = primary.run("database_accounts", "db1", old_passwords="keep", **renewed)
    assert (
        kept["changes"]
        == predicted["changes"]
        == [
            "set the password of app@%, and keep the old one",
            "set the password of app@10.99.0.1, and keep the old one",
        ]
    )
    assert kept["two_passwords"] == predicted["two_passwords"] == ["app@%", "app@10.99.0.1"]
    assert kept["diff"] == predicted["diff"]
    for login in (app, fresh):
        assert primary.sql("db1", "SELECT 1 AS one", **login) == [{"one": 1}]
    again = primary.run("database_accounts", "db1", old_passwords="keep", **renewed)
    assert (again["changed"], again["two_passwords"]) == (False, kept["two_passwords"])
    ended = primary.run("database_accounts", "db1", **renewed)
    assert ended["changes"] == ["discard the old password of app@%", "discard the old password of app@10.99.0.1"]
    assert ended["two_passwords"] == []
    assert primary.sql("db1", "SELECT 1 AS one", **fresh) == [{"one": 1}]
    with pytest.raises(pymysql.MySQLError, match="Access denied"):
        primary.sql("db1", "SELECT 1", **app)
    assert primary.run("database_accounts", "db1", **renewed)["changed"] is False


def test_a_replica_follows_through_the_rotation_of_its_password(replicated: Pair) -> None:
    renewed = replicated.accounts("rotated")
    word = "REPLICA" if replicated.image.mysql else "SLAVE"
    replicated.run("database_accounts", "db1", old_passwords="keep", **renewed)
    following = replicated.following(replication_password="rotated", password_renewed=True)
    assert replicated.run("replication", "db2", **following)["changed"]
    replicated.run("database_accounts", "db1", **renewed)
    replicated.sql("db2", f"STOP {word}")
    replicated.sql("db2", f"START {word}")
    followed = replicated.run("replication", "db2", **replicated.following(replication_password="rotated"))
    assert (followed["changed"], followed["replication"]["io_thread"]) == (False, "running")


def test_an_account_without_a_password_reads_the_heartbeat_and_nothing_else(primary: Pair) -> None:
    accounts = primary.accounts()
    accounts["accounts"][3]["privileges"] = [{"object": "webinfra.heartbeat", "grant": ["SELECT"]}]
    assert primary.run("database_accounts", "db1", **accounts)["changed"]
    assert primary.run("database_accounts", "db1", **accounts)["changed"] is False
    router: dict[str, t.Any] = {"user": "router_check", "password": b"", "ssl_disabled": True}
    assert not primary.sql("db1", "SELECT * FROM webinfra.heartbeat", **router)
    with pytest.raises(pymysql.MySQLError, match="denied"):
        primary.sql("db1", "SELECT * FROM webinfra.canary", **router)
    accounts["accounts"][3]["privileges"] = [{"object": "webinfra.*", "grant": ["SELECT"]}]
    refused = primary.run("database_accounts", "db1", **accounts)
    assert refused["failed"]
    assert "without a password" in refused["msg"]


def test_an_absent_account_is_gone(primary: Pair) -> None:
    primary.run("database_accounts", "db1", **primary.accounts())
    absent: dict[str, t.Any] = {"accounts": [{"name": "app", "state": "absent"}]}
    assert primary.run("database_accounts", "db1", **absent)["changes"] == ["drop app@%", "drop app@10.99.0.1"]
    assert primary.run("database_accounts", "db1", **absent)["changed"] is False


def test_an_account_that_is_gone_lets_nobody_stay(primary: Pair) -> None:
    primary.run("database_accounts", "db1", **primary.accounts())
    with contextlib.closing(primary.connect("db1", **application(primary))) as connection:
        connection.ping(reconnect=False)
        fewer = primary.accounts()
        fewer["accounts"][2]["hosts"] = ["%"]
        assert primary.run("database_accounts", "db1", **fewer)["changes"] == ["drop app@10.99.0.1"]
        connection.ping(reconnect=False)
        primary.run("database_accounts", "db1", accounts=[{"name": "app", "state": "absent"}])
        with pytest.raises(pymysql.MySQLError):
            connection.ping(reconnect=False)


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
