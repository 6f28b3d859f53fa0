# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._module import releases
from ansible_collections.webinfra.stack.plugins.modules import deploy_lock

if t.TYPE_CHECKING:
    from pathlib import Path

WORDS = {"verb": "deploy", "requested_by": "anna@desk", "reason": "the week's"}


class Call(t.Protocol):
    def __call__(self, holder: str, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(releases, "LOCKS", str(tmp_path))

    def converge(holder: str, **options: t.Any) -> dict[str, t.Any]:
        arguments = {"name": "wiki", "home": str(tmp_path / "home"), "holder": holder, **WORDS, **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            deploy_lock.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return converge


@pytest.fixture(autouse=True)
def written_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: str, content: bytes, **_owner: t.Any) -> None:
        with open(path, "wb") as file:
            file.write(content)

    monkeypatch.setattr(releases, "write_at_once", write)


def test_a_lock_is_taken_and_given_back(call: Call, tmp_path: Path) -> None:
    taken = call("a")
    assert (taken["changed"], taken["taken"], taken["held_by"]) == (False, True, None)
    assert json.loads((tmp_path / "wiki.json").read_text()).items() >= {**WORDS, "holder": "a"}.items()
    assert call("a")["taken"]
    assert call("a", state="released")["taken"] is False
    assert list(tmp_path.iterdir()) == []


def test_who_comes_second_is_told_who_has_it_why_and_since_when(call: Call) -> None:
    call("a")
    refused = call("b")
    assert (refused["failed"], refused["taken"]) == (True, False)
    assert "Somebody else deploys wiki: anna@desk: deploy (the week's), since 2" in refused["msg"]
    assert "deploy_break_lock=true" in refused["msg"]


def test_who_comes_second_does_not_give_back_what_he_does_not_have(call: Call) -> None:
    call("a")
    assert call("b", state="released")["held_by"]["holder"] == "a"
    assert call("c")["failed"]


def test_a_lock_can_be_broken(call: Call) -> None:
    call("a")
    broken = call("b", break_lock=True)
    assert (broken["taken"], broken["broken"]) == (True, True)
    assert call("a")["failed"]


def test_check_mode_takes_and_gives_back_nothing(call: Call, tmp_path: Path) -> None:
    assert call("a", _ansible_check_mode=True)["taken"]
    assert list(tmp_path.iterdir()) == []
    call("a")
    call("a", state="released", _ansible_check_mode=True)
    assert call("b", _ansible_check_mode=True)["failed"]
    assert (tmp_path / "wiki.json").exists()
