# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import multiprocessing
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.speaker import floor

if t.TYPE_CHECKING:
    from pathlib import Path


def test_only_the_first_host_speaks(tmp_path: Path) -> None:
    with floor(tmp_path / "floor") as held:
        assert not held.taken_from("db1")
        held.keep("db1")
    with floor(tmp_path / "floor") as held:
        assert held.taken_from("db2")
        assert held.speaker == "db1"


def test_a_host_that_has_spoken_may_try_again(tmp_path: Path) -> None:
    with floor(tmp_path / "floor") as held:
        held.keep("db1")
    with floor(tmp_path / "floor") as held:
        assert not held.taken_from("db1")


def test_a_host_that_leaves_it_to_others_does_not_keep_the_floor(tmp_path: Path) -> None:
    with floor(tmp_path / "floor"):
        pass
    with floor(tmp_path / "floor") as held:
        assert not held.taken_from("db2")


def test_a_worker_waits_until_the_one_before_has_ended(tmp_path: Path) -> None:
    with floor(tmp_path / "floor") as held:
        other = multiprocessing.get_context("fork").Process(target=_take, args=(tmp_path / "floor", tmp_path / "taken"))
        other.start()
        other.join(0.3)
        assert other.is_alive()
        held.keep("db1")
    other.join(5)
    assert (tmp_path / "taken").read_text() == "after db1"


def _take(path: Path, answer: Path) -> None:
    with floor(path) as held:
        answer.write_text(f"after {held.speaker}")
