# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.base import hosts, is_on
from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.choice import dialect_of
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    ConnectionFailedError,
    StatementFailedError,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.plan import Action, SourceSettings
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import (
    Engine,
    Role,
    ServerStatus,
    ThreadState,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    answers,
    dialect,
    session,
    status,
)

if TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement

SITUATIONS = ("primary", "replica", "login_refused", "conflict", "stopped")
SOURCE = SourceSettings(host="db1", port=3306, user="replication", password="se'cret", ca_file="/tls/ca.pem")
every_engine = pytest.mark.parametrize("engine", ENGINES)


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

    server, (row,) = answers(engine, "replica")
    log_file = "Source_Log_File" if engine.startswith("mysql") else "Master_Log_File"
    # MariaDB still knows the identity of the source before, after RESET SLAVE ALL.
    fresh = FakeSession(dialect(engine), [server, [{**row, log_file: ""}]])
    link = fresh.dialect.read_status(fresh).link
    assert link is not None
    assert not link.established


@every_engine
def test_a_refused_login_is_read_with_its_number(engine: str) -> None:
    link = status(engine, "login_refused").link
    assert link is not None
    assert link.io_error is not None
    assert (link.io_thread, link.io_error.code, link.lag_seconds) == (ThreadState.CONNECTING, 1045, None)


def test_the_lag_that_mysql_reports_before_its_first_connection_is_none() -> None:
    server, (row,) = answers("mysql_9_7", "login_refused")
    never_connected = FakeSession(dialect("mysql"), [server, [{**row, "Seconds_Behind_Source": 0}]])
    link = never_connected.dialect.read_status(never_connected).link
    assert link is not None
    assert link.lag_seconds is None


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
            if "by_worker" in statement.sql:
                raise StatementFailedError(1142, "SELECT command denied")
            return super().query(statement)

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
def test_a_healthy_server_is_asked_two_statements(engine: str) -> None:
    asked = session(engine, "replica")
    asked.dialect.read_status(asked)
    assert len(asked.asked) == 2


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
@pytest.mark.parametrize("action", [action for action in Action if action is not Action.FOLLOW])
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
