# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.base import hosts, is_on
from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.choice import dialect_of
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    ConnectionFailedError,
    StatementFailedError,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import (
    Beat,
    Engine,
    Link,
    Role,
    ServerStatus,
    ThreadState,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Action, SourceSettings
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    answers,
    dialect,
    session,
    status,
)

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement

SITUATIONS = ("primary", "replica", "acknowledged", "acknowledging", "login_refused", "conflict", "stopped")
NOT_BY_THE_ENGINE = {Action.FOLLOW, Action.LOAD_SEMI_SYNC, Action.SET_SEMI_SYNC, Action.KEEP_HEARTBEAT}
"""They depend on settings, or are nothing to do on one of the engines."""
SOURCE = SourceSettings(host="db1", port=3306, user="replication", password="se'cret", ca_file="/tls/ca.pem")
every_engine = pytest.mark.parametrize("engine", ENGINES)


def said(engine: str, situation: str, **changes: t.Any) -> Link:
    """Read a recorded replica whose link says something else."""
    rows = answers(engine, situation)
    changed = [[{**row, **changes} if row.keys() >= changes.keys() else row for row in found] for found in rows]
    assert any(row.keys() >= changes.keys() for found in rows for row in found)
    asked = FakeSession(dialect(engine), changed)
    link = asked.dialect.read_status(asked).link
    assert link is not None
    return link


@every_engine
def test_a_primary_is_read_as_one(engine: str) -> None:
    primary = status(engine, "primary")
    assert (primary.role, primary.read_only, primary.server_id) == (Role.PRIMARY, False, 1)
    assert len(primary.connected_replicas) == 1
    assert primary.log_bin
    assert primary.gtid_enabled
    assert not primary.pristine


@every_engine
def test_a_working_replica_is_read_as_one(engine: str) -> None:
    replica = status(engine, "replica")
    assert replica.link is not None
    assert (replica.role, replica.link.running, replica.link.lag_seconds) == (Role.REPLICA, True, 0)
    assert (replica.link.tls, replica.link.tls_verified, replica.link.ca_file) == (True, True, "/tls/ca.pem")
    assert replica.link.auto_position
    assert status(engine, "primary").executed.contains(replica.executed)


@every_engine
def test_a_link_is_established_once_something_has_come_over_it(engine: str) -> None:
    replica, refused = status(engine, "replica").link, status(engine, "login_refused").link
    assert replica is not None
    assert refused is not None
    assert replica.established
    assert refused.established  # its password was changed after it had worked

    log_file = "Source_Log_File" if engine.startswith("mysql") else "Master_Log_File"
    # MariaDB still knows the identity of the source before, after RESET SLAVE ALL.
    fresh = said(engine, "replica", **{log_file: ""})
    assert not fresh.established


@every_engine
def test_a_refused_login_is_read_with_its_number(engine: str) -> None:
    link = status(engine, "login_refused").link
    assert link is not None
    assert link.io_error is not None
    assert (link.io_thread, link.io_error.code, link.lag_seconds) == (ThreadState.CONNECTING, 1045, None)


def test_the_lag_that_mysql_reports_before_its_first_connection_is_none() -> None:
    assert said("mysql_9_7", "login_refused", Seconds_Behind_Source=0).lag_seconds is None


@every_engine
def test_a_conflict_is_read_with_the_row_that_caused_it(engine: str) -> None:
    link = status(engine, "conflict").link
    assert link is not None
    assert link.sql_error is not None
    assert (link.sql_thread, link.sql_error.code) == (ThreadState.STOPPED, 1062)
    assert "Duplicate entry '1'" in link.sql_error.message


def test_without_the_privilege_for_the_workers_table_the_coordinators_words_remain() -> None:
    class Unprivileged(FakeSession):
        def query(self, statement: Statement) -> list[Row]:
            rows = super().query(statement)
            if "by_worker" in statement.sql:
                raise StatementFailedError(1142, "SELECT command denied")
            return rows

    replica = Unprivileged(dialect("mysql"), answers("mysql_9_7", "conflict"))
    link = replica.dialect.read_status(replica).link
    assert link is not None
    assert link.sql_error is not None
    assert link.sql_error.message.startswith("Coordinator stopped")


@every_engine
def test_a_write_on_a_replica_shows_in_its_history(engine: str) -> None:
    errant = status(engine, "conflict").executed.subtract(status(engine, "primary").executed)
    own = str(status(engine, "conflict").server_uuid) if engine.startswith("mysql") else "0-2-"
    assert own in str(errant)


@every_engine
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_status_survives_the_way_through_a_result(engine: str, situation: str) -> None:
    original = status(engine, situation)
    assert ServerStatus.from_result(original.as_result()) == original


@every_engine
@pytest.mark.parametrize("situation", ["primary", "replica"])
def test_a_healthy_server_is_asked_no_more_than_four_statements(engine: str, situation: str) -> None:
    asked = session(engine, situation)
    asked.dialect.read_status(asked)
    assert len(asked.asked) == (3 if engine.startswith("mysql") else 4)


@every_engine
def test_what_hangs_on_a_full_disk_is_marked(engine: str) -> None:
    asked = session(engine, "replica")
    asked.dialect.read_status(asked)
    marked = {statement.verb for statement in asked.asked if statement.may_hang}
    assert ("SHOW REPLICA STATUS" if engine.startswith("mysql") else "SHOW SLAVE STATUS") in marked


@every_engine
def test_the_settings_that_a_primary_is_judged_by_are_read(engine: str) -> None:
    primary = status(engine, "primary")
    mysql = engine.startswith("mysql")
    assert (primary.applier_threads, primary.commit_order_kept) == (4 if mysql else 0, True)
    assert primary.binlog_retention_seconds == (2_592_000 if mysql else 864_000)
    assert not primary.purged
    assert primary.event_scheduler
    assert 1_790_000_000 < primary.clock < 1_900_000_000


@every_engine
def test_a_heartbeat_is_as_old_as_its_row(engine: str) -> None:
    primary, replica = status(engine, "primary"), status(engine, "replica")
    assert primary.heartbeat_age_seconds is not None
    assert replica.heartbeat_age_seconds is not None
    assert 0 <= primary.heartbeat_age_seconds < 2
    assert 0 <= replica.heartbeat_age_seconds < 3


@every_engine
@pytest.mark.parametrize(
    ("source_id", "expected"), [(1, 4.0), (0, 2.0), (9, None)], ids=["of its source", "unknown source", "of nobody"]
)
def test_the_heartbeat_of_the_source_counts(engine: str, source_id: int, expected: float | None) -> None:
    newest_first = ((2, 1_000_000), (3, 2_000_000), (1, 4_000_000))
    ages = [
        {"server_id": server_id, "age": age, "commit_wait_ms": 1000, "acknowledging": 2}
        for server_id, age in newest_first
    ]
    number = "Source_Server_Id" if engine.startswith("mysql") else "Master_Server_Id"
    rows = [
        ages if "age" in found[0] else [{**row, **({number: source_id} if number in row else {})} for row in found]
        for found in answers(engine, "replica")
    ]
    asked = FakeSession(dialect(engine), rows)
    found = asked.dialect.read_status(asked)
    assert found.heartbeat_age_seconds == expected
    assert found.beat_of_another == Beat(
        server_id=3, age_seconds=2.0, commit_wait_seconds=1.0, acknowledging_replicas=2
    )


@every_engine
def test_a_table_of_heartbeats_that_is_not_to_be_seen_is_not_asked(engine: str) -> None:
    rows = [
        [{**row, "heartbeats": 0} if "heartbeats" in row else row for row in found]
        for found in answers(engine, "replica")
        if "age" not in found[0]
    ]
    asked = FakeSession(dialect(engine), rows)
    assert asked.dialect.read_status(asked, "elsewhere").heartbeat_age_seconds is None
    assert asked.asked[0].parameters == ("elsewhere",)


@every_engine
def test_semi_synchronous_replication_is_read_on_both_sides(engine: str) -> None:
    source, replica = status(engine, "acknowledged").semi_sync, status(engine, "acknowledging").semi_sync
    assert source is not None
    assert replica is not None
    assert (source.source_enabled, source.source_active, source.acknowledging_replicas) == (True, True, 1)
    assert (replica.replica_enabled, replica.replica_active, replica.source_enabled) == (True, True, False)
    assert source.wait_after_sync is engine.startswith("mysql")  # MariaDB's default loses what clients have seen
    assert (source.timeout_seconds, source.waits_without_replica, source.wait_for_replicas) == (10.0, True, 1)


def test_without_the_plugins_mysql_has_no_semi_synchronous_replication() -> None:
    assert status("mysql_9_7", "primary").semi_sync is None


@every_engine
def test_the_threads_are_known_while_the_status_hangs(engine: str) -> None:
    asked = session(engine, "hanging")
    replica = asked.dialect.read_what_answers(asked, "SHOW SLAVE STATUS")
    assert (replica.role, replica.unread) == (Role.REPLICA, "SHOW SLAVE STATUS")
    assert replica.link is not None
    assert (replica.link.known, replica.link.running, replica.link.waits_for_disk) == (False, True, False)
    assert replica.transactions_to_apply is None
    assert ServerStatus.from_result(replica.as_result()) == replica


@every_engine
@pytest.mark.parametrize(
    ("state", "thread", "waiting"),
    [
        ("Waiting for someone to free space", ThreadState.RUNNING, True),
        ("Connecting to source", ThreadState.CONNECTING, False),
        ("Reconnecting after a failed source event read", ThreadState.CONNECTING, False),
    ],
)
def test_a_thread_tells_what_it_waits_for(engine: str, state: str, thread: ThreadState, waiting: bool) -> None:
    server, threads = answers(engine, "hanging")
    asked = FakeSession(dialect(engine), [server, [{**row, "state": state} for row in threads]])
    link = asked.dialect.read_what_answers(asked, "…").link
    assert link is not None
    assert (link.io_thread, link.waits_for_disk) == (thread, waiting)


@every_engine
@pytest.mark.parametrize(("read_only", "role"), [(1, Role.REPLICA), (0, Role.PRIMARY)], ids=["closed", "open"])
def test_a_server_without_threads_is_taken_for_a_primary_only_if_it_is_open(
    engine: str, read_only: int, role: Role
) -> None:
    server, _threads = answers(engine, "hanging")
    asked = FakeSession(dialect(engine), [[{**server[0], "read_only": read_only}], []])
    assert asked.dialect.read_what_answers(asked, "…").role is role


@every_engine
def test_a_thread_that_waits_for_the_disk_is_seen_through_its_state(engine: str) -> None:
    column = "Replica_IO_State" if engine.startswith("mysql") else "Slave_IO_State"
    link = said(engine, "replica", **{column: "Waiting for disk space"})
    assert (link.running, link.waits_for_disk) == (True, True)


def test_what_mariadb_has_purged_stands_at_the_head_of_its_oldest_log() -> None:
    purged = [
        [{**row, "Info": "[0-1-7,\n0-2-9]"} if row.get("Event_type") == "Gtid_list" else row for row in found]
        for found in answers("mariadb_11_8", "primary")
    ]
    asked = FakeSession(dialect("mariadb"), purged)
    assert str(asked.dialect.read_status(asked).purged) == "0-1-7,0-2-9"


def test_a_commit_that_waits_for_its_acknowledgement_belongs_to_its_source() -> None:
    uuid = "a21c7b79-e82c-11f1-9c76-0242ac170006"
    ((row,),) = answers("mysql_9_7", "identity")
    asked = FakeSession(dialect("mysql"), [[{**row, "executed": f"{uuid}:1-4", "owned": f"{uuid}:5#31:6#32"}]])
    assert str(asked.dialect.read_identity(asked).executed) == f"{uuid}:1-6"


@every_engine
def test_the_identity_of_a_source_takes_one_statement(engine: str) -> None:
    asked = session(engine, "identity")
    identity = asked.dialect.read_identity(asked)
    assert (identity.engine, identity.server_id, identity.log_bin) == (engine.split("_", maxsplit=1)[0], 1, True)
    assert len(asked.asked) == 1


@every_engine
@pytest.mark.parametrize("ca_file", ["/tls/ca.pem", None], ids=["with TLS", "without TLS"])
def test_the_password_of_a_link_is_a_parameter_of_a_secret_statement(engine: str, ca_file: str | None) -> None:
    source = SourceSettings(host="db1", port=3306, user="replication", password="se'cret", ca_file=ca_file)
    (statement,) = dialect(engine).statements(Action.FOLLOW, source)
    assert statement.secret
    assert "se'cret" in statement.parameters
    assert "cret" not in statement.sql
    assert statement.sql.count("%s") == len(statement.parameters)
    assert "cret" not in repr(source)


@every_engine
@pytest.mark.parametrize("action", [action for action in Action if action not in NOT_BY_THE_ENGINE])
def test_every_action_has_statements(engine: str, action: Action) -> None:
    assert dialect(engine).statements(action, SOURCE)


@every_engine
@pytest.mark.parametrize("name", ["REPLICATION CLIENT", "REPLICA MONITOR", "BINLOG MONITOR", "REPLICATION REPLICA"])
def test_a_common_privilege_becomes_the_engines_own(engine: str, name: str) -> None:
    mysql = {"REPLICATION CLIENT", "REPLICATION SLAVE"}
    mariadb = {"BINLOG MONITOR", "SLAVE MONITOR", "REPLICATION SLAVE"}
    assert dialect(engine).privileges(name) <= (mysql if engine.startswith("mysql") else mariadb)


@pytest.mark.parametrize(
    ("greeting", "engine"),
    [
        ("5.5.5-10.11.19-MariaDB-0+deb12u1-log", Engine.MARIADB),
        ("11.8.9-MariaDB-0+deb13u1 from Debian-log", Engine.MARIADB),
        ("9.7.4-2", Engine.MYSQL),
    ],
)
def test_the_dialect_is_chosen_by_the_greeting(greeting: str, engine: Engine) -> None:
    assert dialect_of(greeting).engine is engine


@pytest.mark.parametrize("greeting", ["5.5.5-10.5.1-MariaDB", "8.0.36", "unknown"])
def test_an_unsupported_server_is_refused(greeting: str) -> None:
    with pytest.raises(ConnectionFailedError, match=r"not supported\. What to do: use MariaDB 10\.11"):
        dialect_of(greeting)


@pytest.mark.parametrize(("value", "on"), [(1, True), (0, False), ("ON", True), ("OFF", False), ("NO_LOCK", True)])
def test_a_variable_is_on_or_off_in_any_spelling(value: object, on: bool) -> None:
    assert is_on(value) is on


def test_the_clients_ports_are_not_part_of_their_address() -> None:
    assert hosts("10.0.0.2:40001,10.0.0.2:40002,db3:1") == ("10.0.0.2", "db3")
    assert hosts(None) == ()
