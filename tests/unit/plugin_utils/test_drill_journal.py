# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_journal import (
    Journal,
    Kind,
    MalformedJournalError,
    read_journal,
)

WALL = 1_790_000_000


def journal(*lines: str) -> Journal:
    """Make a journal of lines like "written 7 1.0 1.2": what, of whom, from when to when."""
    told = ((line, float(line.split()[3])) for line in lines)
    return read_journal(f"{line} {WALL + moment}\n" for line, moment in told)


def test_a_line_tells_what_happened_to_which_row_and_when():
    (event,) = journal("written 7 1.0 1.2").events
    assert (event.kind, event.subject, event.asked, event.answered) == (Kind.WRITTEN, "7", 1.0, 1.2)
    assert event.wall == WALL + 1.2


def test_a_note_at_the_end_of_a_line_is_for_people():
    assert read_journal([f"unknown 8 1.0 1.2 {WALL} 2013\n"]).numbers(Kind.UNKNOWN) == [8]


def test_the_last_line_may_be_cut_off():
    assert read_journal([f"written 7 1.0 1.2 {WALL}\n", "written 8 1.0"]).numbers(Kind.WRITTEN) == [7]


@pytest.mark.parametrize("line", ["\n", "written 7\n", "eaten 7 1 2 3\n", "written 7 a b c\n"])
def test_a_line_that_no_client_has_written_is_refused(line):
    with pytest.raises(MalformedJournalError, match="line 1"):
        read_journal([line])


def test_the_longest_gap_is_between_two_that_succeeded():
    written = journal("written 1 0 1", "written 2 1 2", "refused 3 2 4", "written 4 4 5", "ended - 5 5")
    assert written.longest_gap(Kind.WRITTEN) == 3


def test_a_gap_that_lasts_to_the_end_is_one():
    assert journal("written 1 0 1", "written 2 1 2", "ended - 9 9").longest_gap(Kind.WRITTEN) == 7


def test_without_any_success_there_is_no_gap():
    assert journal("refused 1 0 1").longest_gap(Kind.WRITTEN) is None


def test_the_first_success_after_a_moment_is_found():
    written = journal("written 1 0 1", "refused 2 1 2", "written 3 3 4.5")
    assert written.seconds_from(WALL + 2, Kind.WRITTEN) == pytest.approx(2.5)
    assert written.seconds_from(WALL + 5, Kind.WRITTEN) is None


@pytest.mark.parametrize(
    ("looks", "seconds"),
    [
        (["open db1 0 0.1", "open db1 1 1.1", "closed db1 2 2.1", "open db2 3 3.1", "open db2 4 4.1"], 0),
        (["open db1 0 0.1", "open db2 1 1.1", "open db2 4 4.1", "open db1 5 5.1"], 2.9),
        (["open db1 0 0.1", "open db1 1 1.1", "closed db1 1.5 1.6", "open db2 1.2 1.3", "open db2 2 2.1"], 0),
        (["open db1 0 0.1", "silent db1 1 2", "open db2 1 1.1", "open db2 4 4.1", "open db1 5 5.1"], 0),
        (["open db1 0 0.1", "open db1 9 9.1"], 0),
    ],
    ids=["one after the other", "both", "perhaps for a moment", "nobody knows of the one", "only one"],
)
def test_two_open_servers_are_found_where_it_is_certain(looks, seconds):
    assert journal(*looks).seconds_of_two_open() == pytest.approx(seconds)
