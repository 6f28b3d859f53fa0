# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_table import table_lines
from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_verdict import Check, Drill, Evidence, judge

from .test_drill_journal import WALL, journal

KILLED = Drill(fault="server_killed", engine="mariadb", durability="no_loss")
CLIENT = journal(
    "written 1 0 0.1",
    "read - 0.1 0.2",
    "unknown 2 0.2 0.9",
    "refused 3 0.9 1",
    "read - 1 1.1",
    "written 4 1.9 2.1",
    "ended - 2.1 2.1",
)
SEEN = Evidence(
    journals=(CLIENT,),
    rows={"db1": [1, 4], "db2": [1, 4], "db3": [4, 1]},
    open_servers=("db2",),
    checks=(Check(name="verify", succeeded=True),),
    moment=WALL + 1.0,
    moved_ms=412.0,
)


def seen(**differences):
    return dataclasses.replace(SEEN, **differences)


def judged(evidence=SEEN, **drill):
    return judge(dataclasses.replace(KILLED, **drill), evidence)


def test_a_drill_in_which_all_is_well_has_nothing_to_complain_about():
    verdict = judged()
    assert (verdict.failures, verdict.missed) == ((), ())


def test_the_figures_are_those_of_the_client():
    figures = judged().figures
    assert (figures.acknowledged, figures.unknown, figures.unknown_but_written) == (2, 1, 0)
    assert (figures.write_gap_seconds, figures.read_gap_seconds) == (pytest.approx(2.0), pytest.approx(1.0))
    assert figures.seconds_to_write == pytest.approx(1.1)


def test_a_row_without_an_answer_may_be_there():
    verdict = judged(seen(rows={"db1": [1, 2, 4], "db2": [1, 2, 4]}))
    assert verdict.failures == ()
    assert verdict.figures.unknown_but_written == 1


@pytest.mark.parametrize(
    ("evidence", "complaint"),
    [
        (seen(rows={"db1": [1, 4], "db2": [4]}), "1 acknowledged rows are lost: 1"),
        (seen(rows={"db1": [1, 4], "db2": [1, 4, 4]}), "1 rows are there more than once"),
        (seen(rows={"db1": [1, 2, 4], "db2": [1, 4]}), "1 rows are not the same on all servers"),
        (seen(open_servers=()), "exactly one server has to take writes in the end, and it is nobody"),
        (seen(open_servers=("db1", "db2")), "it is db1, db2"),
        (seen(kept_primary="db1"), "db2 takes the writes in the end, and db1 should do so still"),
        (
            seen(checks=(Check(name="site", succeeded=True, changes=("Balance on lb1",)),)),
            "site has changed something: Balance on lb1",
        ),
        (seen(checks=(Check(name="verify", succeeded=False),)), "verify is not green"),
        (
            seen(checks=(Check(name="verify", succeeded=False, complaints=("Check on db1: lag",)),)),
            "verify is not green: Check on db1: lag",
        ),
        (seen(journals=(journal("refused 1 0 1"),), rows={}), "nothing is proved"),
        (
            seen(journals=(journal("written 1 0 1", "open a 1 1", "open b 2 2", "open b 4 4", "open a 5 5"),)),
            "two servers took writes at the same time, for 2.00 s",
        ),
    ],
    ids=[
        "lost",
        "doubled",
        "differing",
        "nobody",
        "two",
        "another one",
        "changed",
        "red",
        "red, and why",
        "nothing written",
        "two at a time",
    ],
)
def test_what_must_not_be_is_a_failure(evidence, complaint):
    assert any(complaint in failure for failure in judged(evidence).failures)


def test_what_a_stranger_was_told_is_counted_as_well():
    stranger = journal("written 1000000001 0 1")
    verdict = judged(seen(journals=(CLIENT, stranger)))
    assert verdict.failures == ("1 acknowledged rows are lost: 1000000001",)


def test_many_lost_rows_are_not_all_named():
    many = journal(*(f"written {number} 0 1" for number in range(1, 9)))
    (failure,) = judged(seen(journals=(many,), rows={"db1": []})).failures
    assert failure == "8 acknowledged rows are lost: 1, 2, 3, 4, 5, …"


def test_a_loss_that_was_to_be_proved_is_none():
    assert judged(seen(rows={"db1": [4], "db2": [4]}), loss_expected=True).failures == ()


def test_without_the_loss_that_was_to_be_proved_a_drill_proves_nothing():
    (failure,) = judged(loss_expected=True).failures
    assert "finds no losses" in failure


@pytest.mark.parametrize(
    ("drill", "evidence", "missed"),
    [
        ({}, seen(moved_ms=1000.5), "moved_ms is 1e+03, and at most 1000 is the goal"),
        ({}, seen(moment=WALL - 3.0), None),
        ({}, seen(moment=WALL - 4.0), "seconds_to_write is 4.1, and at most 4 is the goal"),
        ({}, seen(moment=None), "seconds_to_write is unknown"),
        ({"fault": "switchover"}, seen(writes_closed_ms=51.0), "writes_closed_ms is 51, and at most 50"),
        ({"fault": "reboot"}, seen(moment=WALL - 60.0), "seconds_to_write is 60.1, and at most 60"),
        ({"fault": "host_dead"}, seen(moved_ms=2999.0), None),
    ],
    ids=["module", "just in time", "too late", "never", "closed", "reboot", "host"],
)
def test_a_goal_is_missed_or_not(drill, evidence, missed):
    found = [told for told in judged(evidence, **drill).missed if "write_gap" not in told]
    assert [told for told in found if missed and missed in told] == found
    assert bool(found) is bool(missed)


def test_reads_have_a_goal_but_where_all_servers_are_down():
    silent = seen(journals=(journal("written 1 0 0.1", "read - 0 0.1", "written 4 5 9", "read - 5 9"),))
    assert any("read_gap" in told for told in judged(silent, fault="partition").missed)
    assert judged(silent, fault="reboot").missed == ()


def test_the_engine_has_a_goal_of_its_own():
    slow = seen(writes_closed_ms=99.0)
    assert not any("closed" in told for told in judged(slow, fault="switchover", engine="mysql").missed)


def test_the_table_has_figures_with_their_goals():
    lines = table_lines(KILLED, judged())
    assert lines[0] == "drill server_killed, mariadb, no_loss"
    assert "  until the first write               1.10 s  goal 4 s" in lines
    assert "  the move itself                     412 ms  goal 1000 ms" in lines
    assert lines[-1] == "  all is well"


def test_the_table_ends_with_what_is_wrong():
    evidence = seen(open_servers=(), moved_ms=None)
    lines = table_lines(KILLED, judged(evidence))
    assert lines[-2:] == [
        "  failed: exactly one server has to take writes in the end, and it is nobody",
        "  missed: moved_ms is unknown, and at most 1000 is the goal",
    ]
