# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.modules import audit_entry

if t.TYPE_CHECKING:
    from pathlib import Path

ENTRY = {"verb": "switchover", "outcome": "db2 took the writes\nover from db1", "requested_by": "änna"}


class Call(t.Protocol):
    def __call__(self, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    def add(**options: t.Any) -> dict[str, t.Any]:
        arguments = {**ENTRY, "path": str(tmp_path / "log" / "audit.log"), **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            audit_entry.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return add


def test_every_call_adds_one_line_and_leaves_the_others(call: Call, tmp_path: Path) -> None:
    assert call(details={"writes_closed_ms": 34.1})["changed"]
    assert call(requested_by=None)["changed"]
    first, second = map(json.loads, (tmp_path / "log" / "audit.log").read_text().splitlines())
    assert {**ENTRY, "writes_closed_ms": 34.1}.items() <= first.items()
    assert next(iter(first)) == "at"
    assert "requested_by" not in second


def test_the_log_is_not_for_everybody(call: Call, tmp_path: Path) -> None:
    call()
    assert os.stat(tmp_path / "log" / "audit.log").st_mode & 0o007 == 0


def test_check_mode_writes_nothing(call: Call, tmp_path: Path) -> None:
    result = call(_ansible_check_mode=True)
    assert (result["changed"], result["append_only"]) == (True, None)
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written_is_said_with_its_path(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = call(path=str(tmp_path / "file" / "audit.log"))
    assert str(tmp_path / "file") in result["msg"]
