# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import ConnectionFailedError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import SemiSync
from ansible_collections.webinfra.stack.plugins.modules import replication_info
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, status


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], look: t.Any) -> dict[str, t.Any]:
    monkeypatch.setattr(replication_info, "look", look)
    with patch_module_args({}), pytest.raises(SystemExit):
        replication_info.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize("engine", ENGINES)
def test_the_status_is_returned_in_the_common_words(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(monkeypatch, capsys, lambda _params: status(engine, "replica"))
    assert result["changed"] is False
    assert result["replication"]["role"] == "replica"
    assert result["replication"]["source"]["auto_position"] is True


@pytest.mark.parametrize("engine", ENGINES)
def test_every_result_is_documented(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(monkeypatch, capsys, lambda _params: status(engine, "replica"))
    documented = yaml.safe_load(replication_info.RETURN)["replication"]["contains"]
    assert documented.keys() == result["replication"].keys()
    assert documented["source"]["sample"].keys() == result["replication"]["source"].keys()
    fields = {field.name for field in dataclasses.fields(SemiSync)}
    assert documented["semi_sync"]["sample"].keys() == fields


def test_an_unreachable_server_fails_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(_params: t.Any) -> t.NoReturn:
        raise ConnectionFailedError("db1:3306 cannot be reached", "start it")

    result = run(monkeypatch, capsys, unreachable)
    assert result["failed"]
    assert result["msg"] == "db1:3306 cannot be reached. What to do: start it"
