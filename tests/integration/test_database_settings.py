# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.webinfra.stack.tests.integration.servers import docker, run_module
from ansible_collections.webinfra.stack.tests.integration.test_replication import eventually

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.tests.integration.servers import Pair

CERTIFICATE = "/tls/server.pem"


def appliers(pair: Pair) -> str:
    return "replica_parallel_workers" if pair.image.mysql else "slave_parallel_threads"


def value(pair: Pair, name: str, variable: str) -> t.Any:
    return pair.sql(name, f"SELECT @@global.{variable} AS v")[0]["v"]


@pytest.fixture
def running(replicated: Pair) -> t.Iterator[Pair]:
    """Put back what the tests set."""
    names = ("max_connections", "sync_binlog", "event_scheduler", appliers(replicated), "innodb_buffer_pool_size")
    before = {name: value(replicated, "db2", name) for name in names}
    yield replicated
    replicated.run("database_settings", "db2", settings=before)


def test_check_mode_predicts_the_first_run_and_the_second_changes_nothing(running: Pair) -> None:
    wanted = {"max_connections": 77, "sync_binlog": 1, "event_scheduler": True, appliers(running): 3}
    predicted = running.run("database_settings", "db2", check=True, settings=wanted)
    assert value(running, "db2", "max_connections") != 77
    first = running.run("database_settings", "db2", settings=wanted)
    second = running.run("database_settings", "db2", settings=wanted)
    assert first["changed"] is predicted["changed"] is True
    assert (first["applied"], first["diff"]) == (predicted["applied"], predicted["diff"])
    assert first["diff"]["after"]["max_connections"] == "77"
    assert (second["changed"], second["applied"], second["restart_needed"]) == (False, [], [])
    assert value(running, "db2", "max_connections") == 77
    assert value(running, "db2", appliers(running)) == 3


def test_a_setting_for_appliers_at_rest_leaves_the_replica_running(running: Pair) -> None:
    result = running.run("database_settings", "db2", settings={appliers(running): 5})
    assert result["applied"] == [appliers(running)]
    assert eventually(lambda: running.status("db2")["io_thread"] == "running")
    assert running.status("db2")["sql_thread"] == "running"


def test_an_applier_that_was_stopped_by_hand_is_not_started_by_a_setting(running: Pair) -> None:
    running.stop_applier("db2")
    result = running.run("database_settings", "db2", settings={appliers(running): 6})
    assert result["restart_needed"] == [appliers(running)]
    assert running.status("db2")["sql_thread"] == "stopped"


def test_what_only_a_start_sets_is_named_and_left(running: Pair) -> None:
    before = running.status("db2")["server_id"]
    result = running.run("database_settings", "db2", settings={"port": 3999, "server_id": 99})
    assert (result["changed"], result["restart_needed"]) == (False, ["port", "server_id"])
    assert running.status("db2")["server_id"] == before


def test_what_the_server_says_itself_is_static_is_named_as_well(running: Pair) -> None:
    result = running.run("database_settings", "db2", settings={"innodb_page_size": 4096, "version_compile_os": "x"})
    assert result["restart_needed"] == ["innodb_page_size", "version_compile_os"]


def test_a_variable_that_does_not_exist_is_refused_and_nothing_is_changed(running: Pair) -> None:
    result = running.run("database_settings", "db2", settings={"max_connections": 66, "max_conections": 66})
    assert result["failed"]
    assert "no variable max_conections" in result["msg"]
    assert value(running, "db2", "max_connections") != 66


def test_a_pool_that_the_server_rounds_up_does_not_change_for_ever(running: Pair) -> None:
    wanted = {"innodb_buffer_pool_size": 150 << 20}
    assert running.run("database_settings", "db2", settings=wanted)["changed"]
    assert running.run("database_settings", "db2", settings=wanted)["changed"] is False


def test_whether_the_server_takes_writes_is_said(running: Pair) -> None:
    assert running.run("database_settings", "db1", settings={})["takes_writes"] is True
    assert running.run("database_settings", "db2", settings={})["takes_writes"] is False


def test_a_renewed_certificate_is_loaded_without_a_restart_and_without_a_trace_in_the_history(running: Pair) -> None:
    name = running.container("db2")
    copied = running.folder / "server.pem"
    docker("cp", f"{name}:{CERTIFICATE}", str(copied))
    assert running.run("database_settings", "db2", certificate_file=str(copied))["changed"] is False
    renewal = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 7 -subj /CN=db2 -CA /tls/ca.pem -CAkey /tls/ca.key"
        f" -addext subjectAltName=IP:{running.addresses['db2']} -addext basicConstraints=CA:FALSE"
        f" -keyout /tls/server.key -out {CERTIFICATE}; chown mysql /tls/server.*"
    )
    before = running.status("db2")
    docker("exec", name, "sh", "-c", renewal)
    docker("cp", f"{name}:{CERTIFICATE}", str(copied))
    predicted = running.run("database_settings", "db2", check=True, certificate_file=str(copied))
    first = running.run("database_settings", "db2", certificate_file=str(copied))
    second = running.run("database_settings", "db2", certificate_file=str(copied))
    assert first["certificate_loaded"] is predicted["certificate_loaded"] is first["changed"] is True
    assert second["changed"] is False
    shown = {row["Value"] for row in running.sql("db2", "SHOW GLOBAL STATUS LIKE 'Ssl_server_not_after'")}
    assert len(shown) == 1
    after = running.status("db2")
    assert after["gtid_executed"] == before["gtid_executed"]
    assert running.run("database_settings", "db2", certificate_changed=True)["certificate_loaded"]


@pytest.mark.skipif(os.geteuid() != 0, reason="the socket vouches for root only")
def test_over_the_socket_the_server_says_which_certificate_it_shows_as_well(running: Pair) -> None:
    own, other = (running.folder / f"{name}.pem" for name in ("own", "other"))
    docker("cp", f"{running.container('db2')}:{CERTIFICATE}", str(own))
    stranger = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x", "-keyout", "/dev/null")
    docker("exec", running.container("db2"), "openssl", *stranger, "-out", str(other))
    docker("cp", f"{running.container('db2')}:{other}", str(other))
    loaded = [
        run_module(
            "database_settings",
            check=True,
            login_unix_socket=str(running.folder / "db2" / "mysqld.sock"),
            certificate_file=str(file),
        )["certificate_loaded"]
        for file in (own, other)
    ]
    assert loaded == [False, True]


def test_a_file_that_is_no_certificate_is_refused(running: Pair) -> None:
    broken = running.folder / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="ascii")
    result = running.run("database_settings", "db2", settings={"max_connections": 55}, certificate_file=str(broken))
    assert result["failed"]
    assert "cannot be read" in result["msg"]
    assert value(running, "db2", "max_connections") != 55


def test_check_mode_predicts_nothing_of_a_server_that_does_not_answer(running: Pair) -> None:
    result = running.run("database_settings", "db2", check=True, login_port=3999)
    assert result["changed"] is False
    assert result["restart_needed"] == []
    assert running.run("database_settings", "db2", login_port=3999)["failed"]
