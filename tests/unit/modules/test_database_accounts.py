# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.modules import database_accounts
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    answers,
    dialect,
    session,
)

every_engine = pytest.mark.parametrize("engine", ENGINES)
PASSWORD = "a'\"\\%s{} x`;-- z"


class Run(t.Protocol):
    def __call__(self, asked: FakeSession, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(asked: FakeSession, **options: t.Any) -> dict[str, t.Any]:
        monkeypatch.setattr(database_accounts, "session_for", lambda _params: contextlib.nullcontext(asked))
        with patch_module_args(options), pytest.raises(SystemExit):
            database_accounts.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        assert PASSWORD not in json.dumps(result)
        return result

    return run_module


def recorded(engine: str, *, changes: int = 0) -> FakeSession:
    """Answer as the recorded primary does, and take this many changes."""
    return FakeSession(dialect(engine), [*answers(engine, "primary"), *answers(engine, "accounts"), *([[]] * changes)])


def wanted(engine: str, **replication: t.Any) -> dict[str, t.Any]:
    mysql = [{"object": "performance_schema.*", "grant": ["SELECT"]}] if engine.startswith("mysql") else []
    return {
        "databases": [{"name": "app_db"}, {"name": "we`ird-%s"}],
        "canary_database": "webinfra",
        "accounts": [
            {
                "name": "replication",
                "hosts": ["%"],
                "password": PASSWORD,
                "privileges": [{"object": "*.*", "grant": ["replication replica"]}],
                **replication,
            },
            {
                "name": "monitoring",
                "hosts": ["%"],
                "password": PASSWORD,
                "privileges": [
                    {"object": "*.*", "grant": ["REPLICATION CLIENT", "PROCESS"]},
                    {"object": "webinfra.canary", "grant": ["SELECT", "INSERT", "UPDATE"]},
                    *mysql,
                ],
            },
            {
                "name": "app",
                "hosts": ["%", "10.0.0.2"],
                "password": "new",
                "tls_required": False,
                "privileges": [
                    {"object": "app_db.*", "grant": ["SELECT", "UPDATE"]},
                    {"object": "we`ird-%s.*", "grant": ["SELECT"]},
                ],
            },
            {"name": "router", "hosts": ["%"], "tls_required": False},
        ],
    }


@every_engine
def test_a_converged_server_is_unchanged(run: Run, engine: str) -> None:
    result = run(recorded(engine), **wanted(engine))
    assert result["changed"] is False
    assert result["changes"] == []
    assert result["diff"]["before"] == result["diff"]["after"]


@every_engine
def test_a_new_password_is_set_and_not_shown(run: Run, engine: str) -> None:
    asked = recorded(engine, changes=1)
    result = run(asked, **wanted(engine, password="an0ther"))
    assert result["changed"] is True
    assert result["changes"] == ["set the password of replication@%"]
    assert "an0ther" not in json.dumps(result)
    assert asked.asked[-1].secret


@every_engine
def test_check_mode_predicts_and_does_not_act(run: Run, engine: str) -> None:
    asked = recorded(engine)
    result = run(asked, **wanted(engine, state="absent"), _ansible_check_mode=True)
    assert result["changed"] is True
    assert result["changes"] == ["drop replication@%"]
    assert "replication@%" not in result["diff"]["after"]["accounts"]
    assert len(asked.asked) == len(answers(engine, "primary") + answers(engine, "accounts"))


@every_engine
def test_a_replica_is_refused(run: Run, engine: str) -> None:
    asked = session(engine, "replica")
    result = run(asked, **wanted(engine))
    assert result["failed"]
    assert "Run this on the primary" in result["msg"]
    assert len(asked.asked) == len(answers(engine, "replica"))


@every_engine
def test_check_mode_only_warns_of_a_server_that_takes_no_writes(run: Run, engine: str) -> None:
    asked = FakeSession(dialect(engine), [*answers(engine, "replica"), *answers(engine, "accounts")])
    result = run(asked, **wanted(engine), _ansible_check_mode=True)
    assert result["changed"] is False
    assert "failed" not in result


def test_an_account_without_hosts_is_refused(run: Run) -> None:
    result = run(recorded("mysql_9_7"), accounts=[{"name": "app", "password": PASSWORD}])
    assert result["failed"]
    assert "has no hosts" in result["msg"]
