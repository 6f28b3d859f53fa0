# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._release.record import (
    Release,
    ReleaseNameError,
    RollbackError,
    Shelf,
    checked_name,
    rollback_target,
)


def release(name, at="2026-01-01"):
    return Release(id=name, source="/src", revision="abc", by="änna", at=at)


def shelf(current, previous, *others):
    names = dict.fromkeys(name for name in (current, previous, *others) if name)
    return Shelf(releases=tuple(release(name) for name in names), current=current, previous=previous).as_result()


def test_a_record_is_read_as_it_was_written():
    assert Release.from_text(release("one").to_text()) == release("one")


@pytest.mark.parametrize("text", ["", "{", "[]", "1"], ids=["empty", "half", "a list", "a number"])
def test_what_is_no_record_makes_no_release(text):
    assert Release.from_text(text) is None


def test_a_process_is_told_its_release():
    assert release("one").environment == 'APP_RELEASE="one"\n'


def test_the_oldest_releases_go_first():
    shown = Shelf(releases=tuple(release(name, at=name) for name in "abcdef"), current="f", previous="e")
    assert shown.surplus(4) == ("b", "a")
    assert shown.surplus(6) == ()


def test_the_current_release_and_the_one_before_it_always_stay():
    shown = Shelf(releases=tuple(release(name, at=name) for name in "abcdef"), current="a", previous="b")
    assert shown.surplus(0) == ("f", "e", "d", "c")
    assert shown.surplus(3) == ("e", "d", "c")


def test_what_a_killed_run_has_left_goes():
    assert Shelf(releases=(release("a"),), current="a", incomplete=("half",)).surplus(5) == ("half",)


def test_all_go_back_to_the_release_before():
    assert rollback_target({"web1": shelf("new", "old"), "web2": shelf("new", "old")}) == "old"


def test_after_a_roll_that_stopped_half_way_all_go_where_the_others_are():
    assert rollback_target({"web1": shelf("new", "old"), "web2": shelf("old", "older")}) == "old"


def test_a_named_release_is_taken_wherever_all_have_it():
    assert rollback_target({"web1": shelf("c", "b", "a"), "web2": shelf("b", "a")}, "a") == "a"


@pytest.mark.parametrize(
    ("shelves", "wanted", "words"),
    [
        ({}, "", "No web server"),
        ({"web1": shelf("a", "")}, "", "web1 runs a, before it none"),
        ({"web1": shelf("a", "b"), "web2": shelf("a", "c")}, "", "web2 runs a, before it c"),
        ({"web1": shelf("a", "b"), "web2": shelf("b", "a")}, "", "There is not one release before this one"),
        ({"web1": shelf("b", "a"), "web2": shelf("b", "")}, "a", "web2: no release a"),
        ({"web1": shelf("b", "a"), "web2": shelf("b", "")}, "a", "all web servers have b"),
    ],
    ids=["nobody", "nothing before", "two before", "each other's", "not everywhere", "what is everywhere"],
)
def test_where_it_is_not_clear_nobody_goes_back(shelves, wanted, words):
    with pytest.raises(RollbackError, match=words):
        rollback_target(shelves, wanted)


@pytest.mark.parametrize("name", ["61bf0e2d94c7", "2026.1", "v2.1-rc_1", "a" * 64])
def test_a_name_of_a_directory_is_a_name_of_a_release(name):
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", 'a"b', "a b", "a\n", "a" * 65])
def test_what_is_no_name_of_a_directory_is_refused(name):
    with pytest.raises(ReleaseNameError, match="is no name for a release"):
        checked_name(name)
