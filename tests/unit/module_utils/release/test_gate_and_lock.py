# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._release.gate import Gate
from ansible_collections.webinfra.stack.plugins.module_utils._release.lock import DeployLock

GATE = Gate(release="new", header="X-Release")
LOCK = DeployLock(holder="a:1:2", verb="deploy", requested_by="anna@desk", reason="the week's", since="today")


def test_the_release_that_was_meant_gets_through():
    assert GATE.complaint({"x-release": "new"}) == ""


@pytest.mark.parametrize(
    ("headers", "words"),
    [({"x-release": "old"}, "X-Release says old instead of new"), ({}, "X-Release says nothing instead of new")],
    ids=["the old one", "no name"],
)
def test_another_release_does_not_though_it_is_healthy(headers, words):
    assert GATE.complaint(headers) == f"healthy, but {words}"


def test_without_a_header_any_healthy_answer_will_do():
    assert Gate(release="new", header="").complaint({}) == ""


def test_a_lock_is_read_as_it_was_written():
    assert DeployLock.from_text(LOCK.to_text()) == LOCK


def test_a_lock_says_who_has_it_why_and_since_when():
    assert str(LOCK) == "anna@desk: deploy (the week's), since today"


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_broken_lock_is_still_a_lock(text):
    assert str(DeployLock.from_text(text)) == "somebody: deploy (its file cannot be read), since an unknown time"
