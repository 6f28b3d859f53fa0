# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import ConnectionFailedError
from ansible_collections.webinfra.stack.plugins.modules import replication_info
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, session


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], opened: t.Any) -> dict[str, t.Any]:
    monkeypatch.setattr(replication_info, "session_for", opened)
    with patch_module_args({}), pytest.raises(SystemExit):
        replication_info.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize("engine", ENGINES)
def test_the_status_is_returned_in_the_common_words(
    engine: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(monkeypatch, capsys, lambda _params: contextlib.nullcontext(session(engine, "replica")))
    assert result["changed"] is False
    assert result["replication"]["role"] == "replica"
    assert result["replication"]["source"]["auto_position"] is True


def test_an_unreachable_server_fails_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(_params: t.Any) -> t.NoReturn:
        raise ConnectionFailedError("db1:3306 cannot be reached", "start it")

    result = run(monkeypatch, capsys, unreachable)
    assert result["failed"]
    assert result["msg"] == "db1:3306 cannot be reached. What to do: start it"
