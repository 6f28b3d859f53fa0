# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._replication.comparison.report import (
    Difference,
    Findings,
    Unsettled,
)
from ansible_collections.webinfra.stack.plugins.modules import replication_checksum

DIFFERENT = Difference(replica="db2", table="shop.t", where="keys after 1 to 9", changed=1, keys=("3",))
LEFT_OUT = Unsettled(replica=None, table="shop.log", reason="it is too large")


class Run(t.Protocol):
    def __call__(self, findings: Findings, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(findings: Findings, **options: t.Any) -> dict[str, t.Any]:
        monkeypatch.setattr(replication_checksum, "compare", lambda _params: findings)
        arguments = {"servers": [{"name": "db1", "host": "10.0.0.1"}], "login_user": "seeding", **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            replication_checksum.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        assert result.get("changed", False) is False
        return result

    return run_module


def test_servers_that_agree_pass(run: Run) -> None:
    result = run(Findings(tables=2, rows=5))
    assert (result.get("failed", False), result["rows"], result["differences"]) == (False, 5, [])


def test_a_difference_fails_with_its_place(run: Run) -> None:
    result = run(Findings(differences=(DIFFERENT,)))
    assert result["failed"]
    assert "shop.t, keys after 1 to 9" in result["msg"]
    assert result["differences"][0]["keys"] == ["3"]


@pytest.mark.parametrize("allowed", [True, False])
def test_what_was_not_compared_fails_unless_that_is_allowed(run: Run, allowed: bool) -> None:
    result = run(Findings(unsettled=(LEFT_OUT,)), unsettled_allowed=allowed)
    assert result.get("failed", False) is not allowed
    assert result["unsettled"][0]["table"] == "shop.log"


@pytest.mark.parametrize("options", [{"load": 0}, {"load": 1.5}, {"chunk_rows": 0}])
def test_a_pace_that_is_none_is_refused(run: Run, options: dict[str, t.Any]) -> None:
    assert "load has to be" in run(Findings(), **options)["msg"]
