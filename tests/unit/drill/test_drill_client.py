# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of a drill, with a server that answers as it is told."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import sys
from pathlib import Path

import pymysql
import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_journal import Kind, read_journal

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "roles" / "drill" / "files" / "drill_client.py"
ADDRESS = ("127.0.0.1", 3306)
READ_ONLY = pymysql.err.OperationalError(1290, "read-only")
LOST = pymysql.err.OperationalError(2013, "Lost connection")
INTERRUPTED = pymysql.err.OperationalError(1317, "Query execution was interrupted")
SILENT = TimeoutError("timed out")
FAST = 1_000_000.0


@pytest.fixture
def client(monkeypatch):
    """Load the program anew, with a stop of its own."""
    specification = importlib.util.spec_from_file_location("drill_client", PROGRAM)
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "drill_client", module)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def journal(client, tmp_path):
    made = client.Journal(tmp_path / "journal")
    made.events = lambda: [(event.kind, event.subject) for event in read_journal((tmp_path / "journal").open()).events]
    return made


class Server:
    """Answers the statements in turn, and tells the client to stop after the last answer."""

    def __init__(self, client, *answers):
        self._client = client
        self._answers = list(answers)
        self.given: list[tuple] = []

    @contextlib.contextmanager
    def cursor(self, _address):
        yield self

    def execute(self, _statement, values=()):
        self.given.append(values)
        self._answer = self._answers.pop(0)
        if not self._answers:
            self._client._STOP.set()
        if isinstance(self._answer, Exception):
            raise self._answer

    def fetchall(self):
        return self._answer


def test_a_row_that_is_answered_is_written_down(client, journal):
    client.write(ADDRESS, Server(client, None, None), journal, itertools.count(5), rate=FAST)
    assert journal.events() == [(Kind.WRITTEN, "5"), (Kind.WRITTEN, "6")]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(READ_ONLY, Kind.REFUSED), (LOST, Kind.UNKNOWN), (INTERRUPTED, Kind.UNKNOWN), (SILENT, Kind.UNKNOWN)],
    ids=["read-only", "lost", "interrupted", "silent"],
)
def test_only_a_server_that_takes_no_writes_has_certainly_not_written(client, journal, trouble, kind):
    client.write(ADDRESS, Server(client, trouble, None), journal, itertools.count(5), rate=FAST)
    assert journal.events() == [(kind, "5")]


def test_a_number_is_never_tried_again(client, journal):
    server, numbers = Server(client, LOST, None, None), itertools.count(5)
    for _connection in range(2):
        client.write(ADDRESS, server, journal, numbers, rate=FAST)
    assert [values[0] for values in server.given] == [5, 6, 7]


def test_reads_are_written_down_and_a_replica_without_the_table_is_asked_again(client, journal):
    late = pymysql.err.ProgrammingError(1146, "no such table")
    client.read(ADDRESS, Server(client, late, (), SILENT), journal, rate=FAST)
    assert journal.events() == [(Kind.UNREAD, "-"), (Kind.READ, "-"), (Kind.UNREAD, "-")]


def test_a_server_is_open_closed_or_silent(client, journal):
    server = Server(client, ((0,),), ((1,),), LOST)
    client.watch("db1", ADDRESS, server, journal)
    assert journal.events() == [(Kind.OPEN, "db1"), (Kind.CLOSED, "db1"), (Kind.SILENT, "db1")]


def test_a_server_that_is_not_reached_is_tried_again(client):
    troubles = iter([LOST, SILENT])
    seen: list[object] = []

    def work():
        if (trouble := next(troubles, None)) is not None:
            raise trouble
        client._STOP.set()

    client.until_stopped(work, lambda _asked, code: seen.append(code))
    assert seen == [2013, "TimeoutError"]
