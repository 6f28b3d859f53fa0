# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import RefusedError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.settings import (
    Running,
    SettingsPlan,
    plan_settings,
    read_running,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, FakeSession, dialect

every_engine = pytest.mark.parametrize("engine", ENGINES)
VALUES = {
    "max_connections": "151",
    "sync_binlog": "0",
    "event_scheduler": "OFF",
    "log_bin": "ON",
    "server_id": "7",
    "long_query_time": "10.000000",
    "tls_version": "TLSv1.2,TLSv1.3",
    "innodb_buffer_pool_size": str(256 << 20),
    "innodb_buffer_pool_chunk_size": str(128 << 20),
    "innodb_buffer_pool_instances": "1",
    "slave_parallel_threads": "0",
    "replica_parallel_workers": "4",
    "read_only": "1",
}


def plan(engine: str, **wanted: t.Any) -> SettingsPlan:
    running = Running(values=VALUES, static=frozenset({"log_bin"}))
    return plan_settings(dialect(engine), running, wanted)


@every_engine
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_connections", 151),
        ("max_connections", "151"),
        ("event_scheduler", "OFF"),
        ("event_scheduler", False),
        ("event_scheduler", 0),
        ("log_bin", "on"),
        ("long_query_time", 10),
        ("tls_version", "tlsv1.2,tlsv1.3"),
        ("innodb_buffer_pool_size", 200 << 20),
    ],
)
def test_the_same_value_in_other_words_is_no_change(engine: str, name: str, value: t.Any) -> None:
    assert plan(engine, **{name: value}) == SettingsPlan(at_once=(), at_rest=(), restart=())


@every_engine
@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("max_connections", "200", 200),
        ("event_scheduler", True, "ON"),
        ("event_scheduler", "1", "ON"),
        ("sync_binlog", True, 1),
        ("long_query_time", "0.5", 0.5),
        ("tls_version", "TLSv1.3", "TLSv1.3"),
        ("innodb_buffer_pool_size", 64 << 20, 64 << 20),
    ],
)
def test_a_value_is_sent_as_the_variable_takes_it(engine: str, name: str, value: t.Any, sent: t.Any) -> None:
    (setting,) = plan(engine, **{name: value}).at_once
    assert (setting.statement.sql, setting.statement.parameters) == (f"SET GLOBAL {name} = %s", (sent,))


@every_engine
def test_what_only_a_start_sets_waits_and_so_does_the_identity(engine: str) -> None:
    waiting = plan(engine, log_bin="OFF", server_id=8).restart
    assert [setting.name for setting in waiting] == ["log_bin", "server_id"]


@pytest.mark.parametrize(
    ("engine", "name"), [("mariadb_11_8", "slave_parallel_threads"), ("mysql_9_7", "replica_parallel_workers")]
)
def test_appliers_take_their_number_only_at_rest(engine: str, name: str) -> None:
    assert [setting.name for setting in plan(engine, **{name: 9}).at_rest] == [name]


@every_engine
@pytest.mark.parametrize("name", ["no_such_variable", "max_connections = 1; --", "Max_connections"])
def test_what_is_no_variable_is_refused(engine: str, name: str) -> None:
    with pytest.raises(RefusedError, match="no variable"):
        plan(engine, max_connections=9, **{name: 1})


@every_engine
def test_everything_is_read_in_one_statement(engine: str) -> None:
    rows = [
        {"name": "MAX_CONNECTIONS", "value": "151", "static": "NO"},
        {"name": "LOG_BIN", "value": "ON", "static": "YES"},
        {"name": "read_only", "value": "OFF", "static": ""},
        {"name": "SSL_SERVER_NOT_AFTER", "value": "Nov 21 17:13:38 2036 GMT", "static": "YES"},
    ]
    asked = FakeSession(dialect(engine), [rows])
    running = read_running(asked, ["max_connections", "log_bin"])
    assert "log_bin" in running.static
    assert running.takes_writes
    assert running.certificate == (None, "Nov 21 17:13:38 2036 GMT")
    (statement,) = asked.asked
    assert statement.sql.count("%s") == len(statement.parameters)
