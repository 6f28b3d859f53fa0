# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.whole_file import ITS_OWNER_MAY_READ, replace_file


def test_a_file_is_replaced_in_one_step_and_everybody_may_read_it(tmp_path):
    path = tmp_path / "status.json"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o644)
    assert [each.name for each in tmp_path.iterdir()] == ["status.json"]


def test_a_secret_is_its_owner_s_alone(tmp_path):
    replace_file(tmp_path / "key", b"secret", mode=ITS_OWNER_MAY_READ)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_replaced_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "taken", b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]
