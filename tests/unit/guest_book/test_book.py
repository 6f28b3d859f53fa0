# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from guest_book.book import GuestBook
from guest_book.bookmark import Bookmark
from guest_book.entries import Draft
from guest_book.troubles import ReadOnlyError, UnreachableError

from .fakes import FakeEndpoint, FakeServer

DRAFT = Draft(name="Ada", message="Hello", client_id="abcdefgh")
WRITTEN = Bookmark(position="0-1-7")


def book(writes, reads):
    return GuestBook(writes=FakeEndpoint(writes), reads=FakeEndpoint(reads), quick_writes=FakeEndpoint(writes))


def replica(**behaviour):
    return FakeServer("db2", writable=False, **behaviour)


def test_a_stranger_reads_from_the_replica_without_waiting():
    follower = replica()
    assert book(FakeServer(), follower).latest(None).server == "db2"
    assert follower.waited_for == []


def test_a_writer_waits_for_the_replica():
    follower = replica()
    reading = book(FakeServer(), follower).latest(WRITTEN)
    assert (reading.server, reading.fresh, follower.waited_for) == ("db2", True, [("0-1-7", 0.5)])


def test_a_writer_reads_from_the_primary_when_the_replica_is_late():
    reading = book(FakeServer(), replica(reaches=False)).latest(WRITTEN)
    assert (reading.server, reading.fresh) == ("db1", True)


def test_a_writer_without_a_position_reads_from_the_primary():
    assert book(FakeServer(), replica()).latest(Bookmark(position=None)).server == "db1"


def test_nobody_waits_for_a_primary_behind_the_read_endpoint():
    primary = FakeServer("db1", reaches=False)
    assert book(primary, primary).latest(WRITTEN).fresh
    assert primary.waited_for == []


def test_a_late_replica_is_better_than_nothing_and_says_that_it_is_late():
    reading = book(None, replica(reaches=False)).latest(WRITTEN)
    assert (reading.server, reading.fresh) == ("db2", False)


def test_reading_goes_on_at_the_write_endpoint_when_no_replica_answers():
    assert book(FakeServer(), None).latest(None).server == "db1"


def test_reading_fails_when_nobody_answers():
    with pytest.raises(UnreachableError):
        book(None, None).latest(None)


def test_an_entry_says_who_wrote_it():
    writing = book(FakeServer(), replica()).add(DRAFT, web_server="web1")
    assert (writing.entry.web_server, writing.entry.database_server, writing.created) == ("web1", "db1", True)
    assert writing.bookmark == WRITTEN


def test_the_same_draft_becomes_one_entry():
    primary = FakeServer()
    first, second = (book(primary, None).add(DRAFT, web_server="web1") for _ in range(2))
    assert second.entry == first.entry
    assert (second.created, len(primary.entries)) == (False, 1)


def test_nothing_is_written_on_a_read_only_server():
    demoted = replica()
    with pytest.raises(ReadOnlyError):
        book(demoted, demoted).add(DRAFT, web_server="web1")
    assert demoted.entries == []


@pytest.mark.parametrize(
    ("server", "name"), [(FakeServer(), "db1"), (replica(), None), (None, None)], ids=["writable", "read-only", "gone"]
)
def test_the_writer_is_who_takes_writes(server, name):
    assert book(server, None).writer() == name
