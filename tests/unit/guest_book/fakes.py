# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pymysql.err
from guest_book.database import Identity
from guest_book.troubles import UnreachableError

NOON = dt.datetime(2026, 5, 1, 12, 0)  # noqa: DTZ001 - as the database returns it


class FakeServer:
    """A database server with one table."""

    def __init__(self, name="db1", *, writable=True, position="0-1-7", reaches=True):
        self.name = name
        self.writable = writable
        self.position = position
        self.reaches = reaches
        self.entries = []
        self.waited_for = []

    def identity(self):
        return Identity(server=self.name, writable=self.writable)

    def last_write(self):
        return self.position

    def reached(self, position, seconds):
        self.waited_for.append((position, seconds))
        return self.reaches

    def rows(self, statement, *values):
        if statement.startswith("INSERT"):
            client_id, *rest = values
            if any(row[1] == client_id for row in self.entries):
                raise pymysql.err.IntegrityError(1062, "Duplicate entry")
            self.entries.append((len(self.entries) + 1, client_id, *rest, NOON))
            return ()
        if "WHERE client_id" in statement:
            return [row for row in self.entries if row[1] == values[0]]
        return list(reversed(self.entries))


class FakeEndpoint:
    def __init__(self, server):
        self.server = server

    def ask(self, work):
        if self.server is None:
            raise UnreachableError("no server answers")
        return work(self.server)
