# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import os
import time
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.filter.chosen_primary import chosen_primary
from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.integration.servers import docker, run_module

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.tests.integration.servers import Pair

AWKWARD = "'\"\\%s`{}; -- "


eventually = functools.partial(waiting.eventually, seconds=5)


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["steps"]]


def test_a_new_server_is_standalone_and_pristine(pair: Pair) -> None:
    status = pair.status("db1")
    assert (status["role"], status["pristine"], status["source"]) == ("standalone", True, None)
    assert status["log_bin"]
    assert status["gtid_enabled"]


@pytest.mark.skipif(os.geteuid() != 0, reason="the socket vouches for root only")
def test_a_server_is_reached_over_its_socket_without_a_password(pair: Pair) -> None:
    result = run_module("replication_info", check=False, login_unix_socket=str(pair.folder / "db1" / "mysqld.sock"))
    assert result["replication"]["server_id"] == 1


def test_the_primary_is_opened_once_and_check_mode_predicts_it(pair: Pair) -> None:
    before = pair.status("db1")
    predicted = pair.run("replication", "db1", check=True, state="primary")
    assert pair.status("db1") == before
    first = pair.run("replication", "db1", state="primary")
    assert first["changed"] is predicted["changed"] is True
    assert (first["steps"], first["diff"]) == (predicted["steps"], predicted["diff"])
    assert pair.status("db1")["role"] == "primary"
    assert pair.run("replication", "db1", state="primary")["changed"] is False


def test_a_replica_is_made_once_and_check_mode_predicts_it(pair: Pair) -> None:
    pair.run("replication", "db1", state="primary")
    pair.run("database_accounts", "db1", **pair.accounts())
    before = pair.status("db2")
    predicted = pair.run("replication", "db2", check=True, **pair.following())
    assert pair.status("db2") == before
    first = pair.run("replication", "db2", **pair.following())
    second = pair.run("replication", "db2", **pair.following())
    assert first["changed"] is predicted["changed"] is True
    assert (first["steps"], first["diff"]) == (predicted["steps"], predicted["diff"])
    assert (second["changed"], second["steps"]) == (False, [])
    status = pair.status("db2")
    assert (status["role"], status["io_thread"], status["sql_thread"]) == ("replica", "running", "running")
    assert (status["read_only"], status["super_read_only"]) == (True, True if pair.image.mysql else None)
    assert status["source"]["tls"]
    assert status["source"]["tls_verified"]
    assert pair.status("db1")["connected_replicas"] == [pair.addresses["db2"]]


def test_a_row_arrives(replicated: Pair) -> None:
    replicated.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    replicated.sql("db1", "INSERT INTO app_db.t VALUES (1)")
    tables = "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'app_db' AND TABLE_NAME = 't'"
    assert eventually(lambda: bool(replicated.sql("db2", tables)))
    assert eventually(lambda: replicated.sql("db2", "SELECT i FROM app_db.t") == [{"i": 1}])


def test_what_the_installation_has_logged_is_forgotten(pair: Pair) -> None:
    pair.run("replication", "db1", state="primary")
    pair.run("database_accounts", "db1", **pair.accounts())
    pair.sql("db2", "CREATE USER installer@localhost IDENTIFIED BY 'x'")
    result = pair.run("replication", "db2", **pair.following())
    assert "clear_history" in actions(result)
    assert eventually(lambda: pair.status("db2")["gtid_executed"] == pair.status("db1")["gtid_executed"])


def test_a_replica_known_by_name_is_verified_by_name(replicated: Pair) -> None:
    result = replicated.run("replication", "db2", **replicated.following(source_host="db1"))
    # This process may not resolve the name, which the containers do.
    assert result.get("failed", False) is ("cannot be reached" in result.get("msg", ""))


def test_a_wrong_password_is_red_at_once_and_the_right_one_heals_it(pair: Pair) -> None:
    pair.run("replication", "db1", state="primary")
    pair.run("database_accounts", "db1", **pair.accounts())
    begin = time.monotonic()
    red = pair.run("replication", "db2", **pair.following(replication_password="wrong"))
    assert red["failed"]
    assert "1045" in red["msg"]
    assert "What to do: check replication_user" in red["msg"]
    assert time.monotonic() - begin < 10
    healed = pair.run("replication", "db2", **pair.following())
    assert healed["changed"]
    assert healed["replication"]["io_thread"] == "running"


def test_a_wrong_password_does_not_break_a_working_link(replicated: Pair) -> None:
    before = replicated.status("db2")
    result = replicated.run("replication", "db2", **replicated.following(replication_password="wrong"))
    assert replicated.status("db2") == before
    # MariaDB does not show the password that it has stored: the working link is all there is to see.
    assert result.get("failed", False) is replicated.image.mysql


def test_a_password_as_long_and_awkward_as_the_engine_takes_works(replicated: Pair) -> None:
    longest = replicated.image.longest_password
    password = (AWKWARD * longest)[:longest]
    replicated.run("database_accounts", "db1", **replicated.accounts(password))
    replicated.forget_source("db2")
    result = replicated.run("replication", "db2", **replicated.following(replication_password=password))
    assert result["replication"]["io_thread"] == "running"
    refused = replicated.run("replication", "db2", **replicated.following(replication_password=password + "x"))
    assert refused["failed"]
    assert f"at most {longest}" in refused["msg"]


def test_a_rotated_password_is_taken_over(replicated: Pair) -> None:
    replicated.run("database_accounts", "db1", **replicated.accounts("rotated"))
    if not replicated.image.mysql:  # there it is noticed once the old one is refused
        replicated.sql("db2", "STOP SLAVE")
        replicated.sql("db2", "START SLAVE")
        assert eventually(lambda: replicated.status("db2")["last_io_error"] is not None)
    result = replicated.run(
        "replication", "db2", **replicated.following(replication_password="rotated", password_renewed=True)
    )
    assert result["changed"]
    assert result["replication"]["io_thread"] == "running"
    again = replicated.run("replication", "db2", **replicated.following(replication_password="rotated"))
    assert again["changed"] is False


def test_a_stopped_applier_is_red_and_started_only_when_asked_to(replicated: Pair) -> None:
    replicated.stop_applier("db2")
    refused = replicated.run("replication", "db2", **replicated.following())
    assert refused["failed"]
    assert "SQL thread is stopped" in refused["msg"]
    assert replicated.status("db2")["sql_thread"] == "stopped"
    result = replicated.run("replication", "db2", **replicated.following(repair=True))
    assert actions(result) == ["start_threads"]
    assert result["replication"]["sql_thread"] == "running"


def test_a_link_that_was_broken_before_a_restart_is_still_known_to_have_worked(replicated: Pair) -> None:
    word = "REPLICA" if replicated.image.mysql else "SLAVE"
    replicated.sql("db2", f"STOP {word}")
    replicated.restart("db2", f"skip_{word.lower()}_start")
    refused = replicated.run("replication", "db2", **replicated.following())
    assert refused["failed"]
    assert "was working and is broken" in refused["msg"]
    repaired = replicated.run("replication", "db2", **replicated.following(repair=True))
    assert repaired["replication"]["io_thread"] == "running"


def test_an_applier_that_stops_again_is_red_with_the_row(replicated: Pair) -> None:
    replicated.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
    replicated.catch_up()
    replicated.write_on_replica("INSERT INTO app_db.t VALUES (1)", logged=False)
    replicated.sql("db1", "INSERT INTO app_db.t VALUES (1)")
    assert eventually(lambda: replicated.status("db2")["sql_thread"] == "stopped")
    for repair in (False, True):
        result = replicated.run("replication", "db2", **replicated.following(repair=repair))
        assert result["failed"]
        assert "Duplicate entry '1'" in result["msg"]


def test_a_write_on_the_replica_is_named_and_not_buried(replicated: Pair) -> None:
    replicated.write_on_replica("CREATE DATABASE stray")
    replicated.forget_source("db2")
    before = replicated.status("db2")
    result = replicated.run("replication", "db2", **replicated.following())
    assert result["failed"]
    own = before["server_uuid"] or "0-2-"
    assert own in result["msg"]
    assert "Nothing was changed" in result["msg"]
    assert replicated.status("db2") == before


def test_a_server_with_data_that_the_source_has_comes_back(replicated: Pair) -> None:
    replicated.forget_source("db2")
    result = replicated.run("replication", "db2", **replicated.following())
    assert "clear_history" not in actions(result)
    assert result["replication"]["io_thread"] == "running"


def test_a_primary_is_never_demoted(replicated: Pair) -> None:
    before = replicated.status("db1")
    result = replicated.run("replication", "db1", **replicated.following(source_host=replicated.addresses["db2"]))
    assert result["failed"]
    assert replicated.addresses["db2"] in result["msg"]
    assert "never demoted" in result["msg"]
    assert replicated.status("db1") == before


def test_a_replica_is_not_opened(replicated: Pair) -> None:
    before = replicated.status("db2")
    result = replicated.run("replication", "db2", state="primary")
    assert result["failed"]
    assert "two primaries" in result["msg"]
    assert replicated.status("db2") == before


def test_a_server_does_not_follow_itself(replicated: Pair) -> None:
    replicated.forget_source("db2")
    before = replicated.status("db2")
    result = replicated.run("replication", "db2", **replicated.following(source_host=replicated.addresses["db2"]))
    assert result["failed"]
    assert "same identity" in result["msg"]
    assert replicated.status("db2") == before


def test_a_source_that_does_not_answer_is_red_after_the_timeout(pair: Pair) -> None:
    begin = time.monotonic()
    result = pair.run("replication", "db2", **pair.following(source_port=3999, timeout=2))
    assert result["failed"]
    assert "waited 2 s" in result["msg"]
    assert time.monotonic() - begin < 15


def test_a_server_of_another_authority_is_not_believed(pair: Pair) -> None:
    folder = pair.folder
    stranger = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stranger", "-keyout", "/dev/null")
    docker("exec", pair.container("db1"), "openssl", *stranger, "-out", f"{folder}/stranger.pem")
    docker("cp", f"{pair.container('db1')}:{folder}/stranger.pem", f"{folder}/stranger.pem")
    result = pair.run("replication_info", "db1", ca_file=f"{folder}/stranger.pem")
    assert result["failed"]
    assert "has no valid TLS" in result["msg"]


def test_a_replica_receives_nothing_from_a_source_of_another_authority(replicated: Pair) -> None:
    folder = replicated.folder
    stranger = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stranger", "-keyout", "/dev/null")
    for name in ("db1", "db2"):
        docker("exec", replicated.container(name), "openssl", *stranger, "-out", f"{folder}/impostor.pem")
    docker("cp", f"{replicated.container('db1')}:{folder}/impostor.pem", f"{folder}/impostor.pem")
    believed = replicated.following(source_ca_file=f"{folder}/impostor.pem", timeout=3)
    refused = replicated.run("replication", "db2", **believed)
    assert refused["failed"], refused
    word, source = ("REPLICA", "SOURCE") if replicated.image.mysql else ("SLAVE", "MASTER")
    turn = "CHANGE REPLICATION SOURCE TO" if replicated.image.mysql else "CHANGE MASTER TO"
    for statement in (f"STOP {word}", f"{turn} {source}_SSL_CA = '{folder}/impostor.pem'", f"START {word}"):
        replicated.sql("db2", statement)
    replicated.sql("db1", "CREATE TABLE app_db.for_believers (i INT PRIMARY KEY)")
    assert eventually(lambda: "SSL connection error" in str(replicated.status("db2")["last_io_error"]))
    assert not replicated.sql("db2", "SHOW TABLES FROM app_db LIKE 'for_believers'")


def test_a_link_is_moved_to_tls(replicated: Pair) -> None:
    accounts = replicated.accounts()
    accounts["accounts"][0]["tls_required"] = False
    replicated.run("database_accounts", "db1", **accounts)
    clear = replicated.run("replication", "db2", **replicated.following(source_ca_file=None))
    assert (clear["changed"], clear["replication"]["source"]["tls"]) == (True, False)
    assert [finding["name"] for finding in replicated.check()["findings"]] == ["link_without_tls"]
    covered = replicated.run("replication", "db2", **replicated.following())
    assert (covered["changed"], covered["replication"]["source"]["tls"]) == (True, True)


def test_the_primary_is_found_by_what_the_servers_say(replicated: Pair) -> None:
    entries = [
        {
            "name": name,
            "host": replicated.addresses[name],
            "replication": replicated.run("replication_info", name)["replication"],
        }
        for name in ("db1", "db2")
    ]
    assert chosen_primary(entries, "db2") == "db1"
