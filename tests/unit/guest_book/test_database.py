# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pymysql.err
import pytest
from guest_book.database import Endpoint
from guest_book.troubles import DatabaseTroubleError, NotMigratedError, ReadOnlyError, UnreachableError

from .fakes import FakeServer


class FakeSession(FakeServer):
    outworn = False
    closed = False

    def close(self):
        self.closed = True


class FakeConnections:
    """Opens the sessions that it was given, one after the other."""

    def __init__(self, *sessions):
        self.left = list(sessions)

    def __call__(self):
        return self.left.pop(0)


def raises(error):
    def work(_session):
        raise error

    return work


def name_of(session):
    return session.identity().server


def test_a_connection_is_kept_for_the_next_piece_of_work():
    endpoint = Endpoint("read", FakeConnections(FakeSession("db1"), FakeSession("db2")))
    assert [endpoint.ask(name_of), endpoint.ask(name_of)] == ["db1", "db1"]


def test_an_outworn_connection_is_closed_and_replaced():
    old = FakeSession("db1")
    endpoint = Endpoint("read", FakeConnections(old, FakeSession("db2")))
    endpoint.ask(name_of)
    old.outworn = True
    assert (endpoint.ask(name_of), old.closed) == ("db2", True)


def test_a_kept_connection_to_a_demoted_primary_is_replaced_and_the_work_done_again():
    demoted = FakeSession("db1")
    endpoint = Endpoint("write", FakeConnections(demoted, FakeSession("db2")))
    endpoint.ask(name_of)

    def write(session):
        if session is demoted:
            raise pymysql.err.OperationalError(1290, "running with the --read-only option")
        return session.name

    assert (endpoint.ask(write), demoted.closed) == ("db2", True)


def test_a_new_connection_is_tried_once_only():
    endpoint = Endpoint("write", FakeConnections(FakeSession(), FakeSession()))
    with pytest.raises(ReadOnlyError):
        endpoint.ask(raises(pymysql.err.OperationalError(1836, "read only mode")))
    assert endpoint.ask(lambda _session: "the second") == "the second"


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (pymysql.err.OperationalError(1290, "--read-only"), ReadOnlyError),
        (pymysql.err.ProgrammingError(1146, "no such table"), NotMigratedError),
        (pymysql.err.OperationalError(2013, "lost"), UnreachableError),
        (pymysql.err.OperationalError(2003, "cannot connect"), UnreachableError),
        (pymysql.err.InterfaceError(0, ""), UnreachableError),
        (pymysql.err.OperationalError(1045, "Access denied for user 'x' (using password: YES)"), DatabaseTroubleError),
        (pymysql.err.OperationalError(3024, "interrupted"), DatabaseTroubleError),
    ],
    ids=lambda value: str(value.args[0]) if isinstance(value, Exception) else "",
)
def test_what_the_driver_says_becomes_a_trouble(error, trouble):
    endpoint = Endpoint("write", FakeConnections(FakeSession()))
    with pytest.raises(DatabaseTroubleError) as caught:
        endpoint.ask(raises(error))
    assert type(caught.value) is trouble


def test_a_trouble_names_no_account():
    endpoint = Endpoint("write", FakeConnections(FakeSession()))
    with pytest.raises(DatabaseTroubleError) as caught:
        endpoint.ask(raises(pymysql.err.OperationalError(1045, "Access denied for user 'guest_book'@'10.0.0.1'")))
    assert "guest_book" not in str(caught.value)
