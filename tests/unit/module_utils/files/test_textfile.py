# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._files.textfile import TextfileError, write_textfile

if t.TYPE_CHECKING:
    from pathlib import Path


def test_everybody_may_read_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "replication.prom"
    before = os.umask(0o077)
    try:
        write_textfile(str(file), "one 1\n")
    finally:
        os.umask(before)
    assert file.read_text(encoding="utf-8") == "one 1\n"
    assert file.stat().st_mode & 0o7777 == 0o644


def test_a_reader_of_the_old_file_is_not_disturbed(tmp_path: Path) -> None:
    file = tmp_path / "replication.prom"
    write_textfile(str(file), "old 1\n")
    with file.open(encoding="utf-8") as reader:
        write_textfile(str(file), "new 1\n")
        assert reader.read() == "old 1\n"
    assert file.read_text(encoding="utf-8") == "new 1\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TextfileError, match=r"No such file or directory\. What to do: create its folder"):
        write_textfile(str(tmp_path / "nowhere" / "replication.prom"), "")


def test_nothing_is_left_behind_when_the_file_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "replication.prom").mkdir()
    with pytest.raises(TextfileError, match="cannot be written"):
        write_textfile(str(tmp_path / "replication.prom"), "one 1\n")
    assert [path.name for path in tmp_path.iterdir()] == ["replication.prom"]
