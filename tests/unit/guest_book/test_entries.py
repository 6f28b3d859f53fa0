# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest
from guest_book.entries import DraftError, Entry, draft_from

from .fakes import NOON


def problems_of(**fields):
    with pytest.raises(DraftError) as caught:
        draft_from(fields)
    return caught.value.problems


def test_white_space_around_words_is_tidied():
    draft = draft_from({"name": "  Ada \t Lovelace ", "message": "\r\nfirst\r\nsecond\n\n"})
    assert (draft.name, draft.message) == ("Ada Lovelace", "first\nsecond")


def test_a_draft_without_an_identity_gets_a_new_one_each_time():
    fields = {"name": "Ada", "message": "Hello"}
    assert draft_from(fields).client_id != draft_from(fields).client_id


def test_a_draft_keeps_the_identity_that_the_client_chose():
    assert draft_from({"name": "Ada", "message": "Hello", "client_id": "abc-DEF_123"}).client_id == "abc-DEF_123"


def test_all_problems_are_told_at_once():
    assert problems_of(name=" ", message="", client_id="../..").keys() == {"name", "message", "client_id"}


@pytest.mark.parametrize(("field", "limit"), [("name", 40), ("message", 500)])
def test_a_field_may_be_filled_to_its_limit_and_no_further(field, limit):
    fields = {"name": "Ada", "message": "Hello"}
    assert len(getattr(draft_from({**fields, field: "é" * limit}), field)) == limit
    assert problems_of(**{**fields, field: "é" * (limit + 1)}) == {
        field: f"That is {limit + 1} characters; there is room for {limit}."
    }


@pytest.mark.parametrize("value", [None, 7, ["Ada"], {"a": 1}], ids=str)
def test_what_is_not_text_counts_as_empty(value):
    assert problems_of(name=value, message="Hello") == {"name": "Please write your name."}


@pytest.mark.parametrize("character", ["\0", "\x1b", "\ud800", "\u202e"], ids=ascii)
def test_characters_that_are_no_writing_are_dropped(character):
    assert draft_from({"name": f"A{character}da", "message": "Hello"}).name == "Ada"


def test_a_family_stays_one_picture():
    family = "👨\u200d👩\u200d👧"
    assert draft_from({"name": family, "message": "Hello"}).name == family


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "just now"), (59, "just now"), (60, "1 minute ago"), (7199, "1 hour ago"), (172800, "2 days ago")],
)
def test_the_age_of_an_entry_is_told_in_words(seconds, words):
    entry = Entry(1, "abcdefgh", "Ada", "Hello", "web1", "db1", NOON)
    assert entry.age(NOON + dt.timedelta(seconds=seconds)) == words
