# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import time
import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import StatementTimeoutError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server
from ansible_collections.webinfra.stack.plugins.module_utils._sql.connection import Login
from ansible_collections.webinfra.stack.plugins.module_utils._sql.survey import Survey, Target

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Statement


def silent_target(name: str, port: int) -> Target:
    login = Login(host="127.0.0.1", port=port, user="x", password="", connect_timeout=1, statement_timeout=1)
    return Target(name=name, addresses=frozenset({"127.0.0.1"}), login=login)


def test_the_slowest_server_decides_how_long_a_survey_takes() -> None:
    begin = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with Survey([silent_target(f"db{number}", port) for number in range(5)]) as survey:
            topology = survey.read()
    assert len(topology.unreachable) == 5
    assert time.monotonic() - begin < 3


def test_an_unreachable_server_comes_with_its_reason_and_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Survey([silent_target("db1", port)]) as survey:
        (server,) = survey.read().servers
    assert (server.name, server.status) == ("db1", None)
    assert "cannot be reached" in str(server.problem)
    assert "firewall" in str(server.remedy)


def test_a_survey_ends_within_two_seconds_however_long_a_statement_may_take() -> None:
    begin = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        patient = Login(
            host="127.0.0.1",
            port=silent.getsockname()[1],
            user="x",
            password="",
            connect_timeout=1,
            statement_timeout=60,
        )
        with Survey([Target(name="db1", addresses=frozenset(), login=patient)]) as survey:
            (server,) = survey.read().servers
    assert server.status is None
    assert time.monotonic() - begin < 2


class HangingSession:
    """Answers nothing in time."""

    def __init__(self) -> None:
        self.closed = False

    def query(self, statement: Statement) -> t.NoReturn:
        raise StatementTimeoutError(statement.sql, "it did not answer")

    def close(self) -> None:
        self.closed = True


def test_after_a_row_that_hangs_the_server_is_asked_on_a_new_connection() -> None:
    primary = Server(name="db1", status=None)
    with Survey([silent_target("db1", 1)]) as survey:
        hanging = HangingSession()
        survey._sessions.keep("db1", t.cast("t.Any", hanging))
        (sighting,) = survey.fly_canary(primary, [], "webinfra", 1)
        assert "the row could not be written" in str(sighting.problem)
        assert hanging.closed
        assert survey._sessions.take("db1") is None
