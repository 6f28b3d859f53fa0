# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.webinfra.stack.plugins.plugin_utils.seeding_progress import Progress, progress_line

MEBIBYTE = 1024 * 1024


def progress(done: int, moment: float, phase: str = "receiving", total: int = 1000) -> Progress:
    return Progress(phase=phase, done=done * MEBIBYTE, total=total * MEBIBYTE, moment=moment)


def test_a_phase_without_a_size_is_named() -> None:
    assert progress_line("db2", progress(0, 1, "preparing the copy", 0), None) == "  db2: preparing the copy"


def test_the_share_is_told_and_then_the_speed() -> None:
    first, second = progress(100, 10.0), progress(300, 12.0)
    assert progress_line("db2", first, None) == "  db2: receiving 100 of 1000 MiB (10%)"
    assert progress_line("db2", second, first) == "  db2: receiving 300 of 1000 MiB (30%), 100 MiB/s"


def test_another_phase_starts_anew() -> None:
    assert progress_line("db2", progress(5, 12.0, "cloning"), progress(300, 10.0)).endswith("(0%)")


def test_more_than_was_estimated_is_all() -> None:
    assert "(100%)" in progress_line("db2", progress(1100, 1.0), None)
