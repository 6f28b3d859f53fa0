# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from guest_book.schema import migrate_on
from guest_book.troubles import ReadOnlyError

from .fakes import FakeEndpoint, FakeServer


class EmptyServer(FakeServer):
    def __init__(self, *, tables=(), **behaviour):
        super().__init__(**behaviour)
        self.tables = tables
        self.created = []

    def rows(self, statement, *values):
        if statement.startswith("SHOW TABLES"):
            return self.tables
        self.created.append(statement.split()[5])
        return ()


def test_a_missing_table_is_created():
    server = EmptyServer()
    assert migrate_on(FakeEndpoint(server), patience=0) == "db1"
    assert server.created == ["entries"]


def test_a_table_that_is_there_is_left_alone():
    server = EmptyServer(tables=(("entries",),))
    migrate_on(FakeEndpoint(server), patience=0)
    assert server.created == []


def test_nothing_is_created_on_a_read_only_server():
    server = EmptyServer(writable=False)
    with pytest.raises(
        ReadOnlyError, match="db1 is behind the write endpoint and takes no writes; gave up after 0 sec"
    ):
        migrate_on(FakeEndpoint(server), patience=0)
    assert server.created == []


def test_a_migration_waits_for_a_primary():
    class LateEndpoint(FakeEndpoint):
        tries = 0

        def ask(self, work):
            self.tries += 1
            self.server.writable = self.tries > 1
            return super().ask(work)

    assert migrate_on(LateEndpoint(EmptyServer()), patience=5) == "db1"
