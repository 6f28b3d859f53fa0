# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import socket
import time
import typing as t

import pymysql
import pytest
from typing_extensions import Self

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    ConnectionFailedError,
    StatementFailedError,
    StatementTimeoutError,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Statement
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import SourceSettings
from ansible_collections.webinfra.stack.plugins.module_utils._sql.connection import Login, SqlSession, connect
from ansible_collections.webinfra.stack.plugins.module_utils._sql.source import look_at_source

SECRET = "s3cret"


def login(port: int = 3306, **values: t.Any) -> Login:
    return Login(
        **{
            "host": "127.0.0.1",
            "port": port,
            "user": "monitoring",
            "password": SECRET,
            "connect_timeout": 1,
            "statement_timeout": 1,
            **values,
        }
    )


class Cursor:
    """A cursor that fails or answers as it was told."""

    def __init__(self, answer: t.Any) -> None:
        self.answer = answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        return

    def execute(self, _sql: str, _parameters: t.Any) -> None:
        if isinstance(self.answer, Exception):
            raise self.answer

    def fetchall(self) -> t.Any:
        return self.answer


class Connection:
    """As much of a connection as a session uses."""

    server_version = "9.7.4-2"
    _read_timeout: float

    def __init__(self, answer: t.Any) -> None:
        self.answer = answer

    def cursor(self) -> Cursor:
        return Cursor(self.answer)


def session(answer: t.Any) -> SqlSession:
    return SqlSession(t.cast("t.Any", Connection(answer)), login())


@contextlib.contextmanager
def listening() -> t.Iterator[int]:
    """Listen on a port, take connections, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_rows_are_returned_as_they_are() -> None:
    assert session([{"one": 1}]).query(Statement("SELECT 1 AS one")) == [{"one": 1}]


def test_a_refused_statement_is_told_with_the_engines_words_and_number() -> None:
    failing = session(pymysql.err.OperationalError(1142, "SELECT command denied to user"))
    with pytest.raises(StatementFailedError, match="SELECT command denied") as caught:
        failing.query(Statement("SELECT token FROM canary"))
    assert caught.value.code == 1142


def test_the_engines_words_are_withheld_when_they_may_quote_a_secret() -> None:
    failing = session(pymysql.err.OperationalError(1470, f"String '{SECRET}' is too long for MASTER_PASSWORD"))
    with pytest.raises(StatementFailedError) as caught:
        failing.query(Statement("CHANGE MASTER TO MASTER_PASSWORD=%s", (SECRET,), secret=True))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "1470" in str(caught.value)


def test_a_statement_that_hangs_is_told_apart_from_one_that_is_refused() -> None:
    hanging = session(pymysql.err.OperationalError(2013, "Lost connection during query (timed out)"))
    with pytest.raises(StatementTimeoutError, match="SHOW REPLICA STATUS … and did not answer within 1 s"):
        hanging.query(Statement("SHOW REPLICA STATUS"))


def test_a_deadline_leaves_time_to_ask_otherwise_when_a_statement_hangs() -> None:
    connection = Connection([])
    hurried = SqlSession(t.cast("t.Any", connection), login())
    hurried.deadline = time.monotonic() + 0.5
    hurried.query(Statement("SELECT 1"))
    assert 0.4 < connection._read_timeout <= 0.5
    hurried.query(Statement("SHOW REPLICA STATUS", may_hang=True))
    assert 0.2 < connection._read_timeout <= 0.3


def test_what_has_come_is_read_even_after_the_deadline() -> None:
    connection = Connection([])
    late = SqlSession(t.cast("t.Any", connection), login())
    late.deadline = time.monotonic() - 5
    late.query(Statement("SELECT 1"))
    assert 0 < connection._read_timeout < 0.1


def test_without_a_deadline_a_statement_has_its_own_time() -> None:
    connection = Connection([])
    SqlSession(t.cast("t.Any", connection), login()).query(Statement("SHOW REPLICA STATUS", may_hang=True))
    assert connection._read_timeout == 1


def test_a_deadline_holds_for_a_port_that_never_speaks() -> None:
    begin = time.monotonic()
    with listening() as port, pytest.raises(ConnectionFailedError):
        connect(login(port, connect_timeout=30, statement_timeout=30), deadline=begin + 0.3)
    assert time.monotonic() - begin < 1


def test_a_closed_port_is_unreachable_with_what_to_do() -> None:
    with pytest.raises(ConnectionFailedError, match=r"cannot be reached: .*What to do: check that the database runs"):
        connect(login(free_port()))


def test_a_missing_socket_is_unreachable() -> None:
    with pytest.raises(ConnectionFailedError, match=r"/nonexistent\.sock cannot be reached"):
        connect(login(host=None, unix_socket="/nonexistent.sock"))


def test_a_port_that_never_speaks_does_not_hold_anybody_up() -> None:
    begin = time.monotonic()
    with listening() as port, pytest.raises(ConnectionFailedError):
        connect(login(port))
    assert time.monotonic() - begin < 3


def test_a_missing_authority_is_told_with_its_file() -> None:
    with pytest.raises(ConnectionFailedError, match=r"/nonexistent\.pem"):
        connect(login(ca_file="/nonexistent.pem"))


def test_a_login_does_not_show_its_password() -> None:
    assert SECRET not in repr(login())


def test_a_source_that_cannot_be_seen_is_an_answer_with_a_reason() -> None:
    source = SourceSettings(host="127.0.0.1", port=free_port(), user="r", password=SECRET, ca_file=None)
    view = look_at_source(source, connect_timeout=1, statement_timeout=1)
    assert view.identity is None
    assert "cannot be reached" in str(view.reason)
    assert SECRET not in repr(view)
