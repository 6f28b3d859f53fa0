# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.modules import replication
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    answers,
    dialect,
    link,
    session,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.test_plan import source

every_engine = pytest.mark.parametrize("engine", ENGINES)
PASSWORD = "q'7\"\\zz"


class Run(t.Protocol):
    def __call__(self, asked: FakeSession, engine: str, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(asked: FakeSession, engine: str, **options: t.Any) -> dict[str, t.Any]:
        monkeypatch.setattr(replication, "session_for", lambda _params, **_: contextlib.nullcontext(asked))
        monkeypatch.setattr(replication, "look_at_source", lambda _source, **_: source(engine))
        with patch_module_args(options), pytest.raises(SystemExit):
            replication.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        assert PASSWORD not in json.dumps(result)
        return result

    return run_module


def follow(engine: str, **changes: t.Any) -> dict[str, t.Any]:
    recorded = link(engine, "replica")
    return {
        "state": "replica",
        "source_host": recorded.host,
        "replication_user": recorded.user,
        "replication_password": PASSWORD,
        "source_ca_file": recorded.ca_file,
        "repair": True,
        **changes,
    }


def password_question(engine: str) -> list[list[dict[str, t.Any]]]:
    return [[{"differs": 0}]] if engine.startswith("mysql") else []


@every_engine
def test_a_converged_replica_is_unchanged(run: Run, engine: str) -> None:
    recorded = answers(engine, "replica")
    asked = FakeSession(dialect(engine), [*recorded, *password_question(engine), *recorded])
    result = run(asked, engine, **follow(engine))
    assert result["changed"] is False
    assert result["steps"] == []
    assert result["diff"]["before"] == result["diff"]["after"]


@every_engine
def test_check_mode_predicts_the_steps(run: Run, engine: str) -> None:
    asked = FakeSession(dialect(engine), [*answers(engine, "replica"), *password_question(engine)])
    result = run(asked, engine, **follow(engine, source_host="db9"), _ansible_check_mode=True)
    assert result["changed"] is True
    assert [step["action"] for step in result["steps"]] == ["stop_threads", "follow", "start_threads"]
    assert result["diff"]["after"]["source"]["host"] == "db9"
    assert result["diff"]["before"]["source"]["host"] == link(engine, "replica").host


@every_engine
def test_a_replica_that_does_not_replicate_is_a_failure(run: Run, engine: str) -> None:
    acted = [*answers(engine, "login_refused"), *password_question(engine), [], [], []]
    asked = FakeSession(dialect(engine), [*acted, *answers(engine, "login_refused")])
    result = run(asked, engine, **follow(engine))
    assert result["failed"]
    assert result["changed"] is True
    assert "1045" in result["msg"]
    assert result["replication"]["last_io_error"]["code"] == 1045


@every_engine
def test_a_primary_is_not_demoted(run: Run, engine: str) -> None:
    asked = session(engine, "primary")
    result = run(asked, engine, **follow(engine))
    assert result["failed"]
    assert "never demoted" in result["msg"]
    assert len(asked.asked) == len(answers(engine, "primary"))


@every_engine
def test_an_open_primary_is_unchanged(run: Run, engine: str) -> None:
    result = run(session(engine, "primary"), engine, state="primary")
    assert result["changed"] is False


@every_engine
def test_a_replica_is_not_opened(run: Run, engine: str) -> None:
    result = run(session(engine, "replica"), engine, state="primary")
    assert result["failed"]
    assert "two primaries" in result["msg"]


def test_a_replica_needs_a_source(run: Run) -> None:
    result = run(FakeSession(dialect("mysql"), []), "mysql_9_7", state="replica")
    assert result["failed"]
    assert "source_host" in result["msg"]
