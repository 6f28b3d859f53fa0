# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest
from guest_book.bookmark import Bookmark

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
OTHER = "c98e9892-e781-11f1-957b-0242ac140007"

GOOD = pytest.mark.parametrize(
    "position",
    [
        "0-1-18",
        "0-1-18,1-2-400",
        f"{UUID}:1-8",
        f"{UUID}:1-8:10-12,{OTHER}:1",
        f"{UUID}:1-8:blue_green:1-3",
    ],
)


@GOOD
def test_a_position_survives_the_way_through_a_cookie(position):
    assert Bookmark.from_cookie(Bookmark.at(position).to_cookie()) == Bookmark(position=position)


@GOOD
def test_a_cookie_needs_no_quoting(position):
    assert not set(Bookmark.at(position).to_cookie()) & set(' ",;\\')


def test_line_breaks_of_mysql_are_dropped():
    assert Bookmark.at(f"{UUID}:1-8,\n{OTHER}:1-3").position == f"{UUID}:1-8,{OTHER}:1-3"


@pytest.mark.parametrize("position", [None, "", "0-1-1," * 400 + "0-1-1"], ids=["none", "empty", "too long"])
def test_a_write_without_a_usable_position_still_makes_a_bookmark(position):
    assert Bookmark.from_cookie(Bookmark.at(position).to_cookie()) == Bookmark(position=None)


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "' OR 1=1 -- ",
        "0-1-18'",
        "0-1-18\n",
        "0-1-18,1-2-3",
        "0-1",
        "0-1--18",
        "\u0660-\u0661-\u0662",
        "0-1-99999999999999999999",
        f"{UUID}:",
        f"{UUID}:0-1",
        f"{UUID}:1-8; DROP TABLE entries",
        "primary ",
        "0-1-1." * 200 + "0-1-1",
    ],
)
def test_a_cookie_that_we_did_not_write_is_no_bookmark(cookie):
    assert Bookmark.from_cookie(cookie) is None


def test_no_cookie_takes_long_to_refuse():
    begin = time.monotonic()
    Bookmark.from_cookie((f"{UUID}" + ":1-1" * 240)[:1023] + "!")
    assert time.monotonic() - begin < 0.1
