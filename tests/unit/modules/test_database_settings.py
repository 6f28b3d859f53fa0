# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    ConnectionFailedError,
    StatementFailedError,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Link, ThreadState
from ansible_collections.webinfra.stack.plugins.modules import database_settings
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    dialect,
    link,
    status,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.test_certificate import PEM

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ServerStatus

every_engine = pytest.mark.parametrize("engine", ENGINES)
READ_ONLY_VARIABLE, WRONG_VALUE = 1238, 1231
AT_REST = {"mariadb": "slave_parallel_threads", "mysql": "replica_parallel_workers"}


class Server(FakeSession):
    """Runs with these variables, and refuses to set some of them."""

    def __init__(self, engine: str, *, refused: dict[str, int] | None = None, at: Link | None = None) -> None:
        super().__init__(dialect(engine), [])
        self.refused = refused or {}
        own = {
            "max_connections": "151",
            "log_bin": "ON",
            "read_only": "ON",
            AT_REST[engine.split("_", maxsplit=1)[0]]: "4",
        }
        shown = {
            "ssl_server_not_before": "Jan  1 00:00:00 2026 GMT",
            "ssl_server_not_after": "Jan  1 00:00:00 2027 GMT",
        }
        self.rows: list[Row] = [
            {"name": name.upper(), "value": value, "static": "YES" if name == "log_bin" else "NO"}
            for name, value in {**own, **shown}.items()
        ]
        current = status(engine, "replica", link=at)

        class Known(type(self.dialect)):  # type: ignore[misc]
            def read_status(self, *_: t.Any) -> ServerStatus:
                return current

        self.dialect = Known()

    def query(self, statement: Statement) -> list[Row]:
        self.asked.append(statement)
        code = self.refused.get(statement.sql.removeprefix("SET GLOBAL ").split()[0])
        if code:
            raise StatementFailedError(code, "refused")
        return self.rows if statement.sql.startswith("SELECT") else []

    @property
    def told(self) -> list[str]:
        return [
            " ".join(statement.sql.split()[:3]) for statement in self.asked if not statement.sql.startswith("SELECT")
        ]


class Run(t.Protocol):
    def __call__(self, server: Server | Exception, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(server: Server | Exception, **options: t.Any) -> dict[str, t.Any]:
        def session_for(_params: t.Any, **_: t.Any) -> contextlib.AbstractContextManager[FakeSession]:
            if isinstance(server, Exception):
                raise server
            return contextlib.nullcontext(server)

        monkeypatch.setattr(database_settings, "session_for", session_for)
        with patch_module_args(options), pytest.raises(SystemExit):
            database_settings.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return run_module


def at_rest(engine: str) -> str:
    return AT_REST[engine.split("_", maxsplit=1)[0]]


@every_engine
def test_a_server_that_runs_as_wanted_is_only_read(run: Run, engine: str) -> None:
    server = Server(engine)
    result = run(server, settings={"max_connections": 151, "log_bin": True})
    assert (result["changed"], result["restart_needed"], len(server.asked)) == (False, [], 1)


@every_engine
def test_check_mode_predicts_the_real_run_and_sets_nothing(run: Run, engine: str) -> None:
    wanted = {"settings": {"max_connections": 300, "log_bin": False}}
    server = Server(engine)
    predicted = run(server, **wanted, _ansible_check_mode=True)
    assert server.told == []
    real = run(Server(engine), **wanted)
    assert predicted["changed"] is real["changed"] is True
    for name in ("applied", "restart_needed", "diff"):
        assert predicted[name] == real[name]
    assert (real["applied"], real["restart_needed"]) == (["max_connections"], ["log_bin"])
    assert real["diff"] == {"before": {"max_connections": "151"}, "after": {"max_connections": "300"}}


@every_engine
def test_what_the_server_refuses_to_set_while_it_runs_waits_for_a_restart(run: Run, engine: str) -> None:
    result = run(Server(engine, refused={"max_connections": READ_ONLY_VARIABLE}), settings={"max_connections": 300})
    assert (result["changed"], result["applied"], result["restart_needed"]) == (False, [], ["max_connections"])


@every_engine
def test_a_value_that_the_server_does_not_take_is_a_failure(run: Run, engine: str) -> None:
    assert run(Server(engine, refused={"max_connections": WRONG_VALUE}), settings={"max_connections": 300})["failed"]


@every_engine
def test_replication_pauses_for_a_setting_of_its_appliers_and_goes_on(run: Run, engine: str) -> None:
    server = Server(engine, at=link(engine, "replica"))
    assert run(server, settings={at_rest(engine): 8})["applied"] == [at_rest(engine)]
    assert [told.split()[0] for told in server.told] == ["STOP", "SET", "START"]


@every_engine
def test_replication_goes_on_when_the_setting_is_not_taken(run: Run, engine: str) -> None:
    server = Server(engine, at=link(engine, "replica"), refused={at_rest(engine): WRONG_VALUE})
    assert run(server, settings={at_rest(engine): 8})["failed"]
    assert server.told[-1].startswith("START")


@every_engine
def test_a_thread_that_somebody_has_stopped_is_not_started(run: Run, engine: str) -> None:
    server = Server(engine, at=link(engine, "replica", sql_thread=ThreadState.STOPPED))
    assert run(server, settings={at_rest(engine): 8})["restart_needed"] == [at_rest(engine)]
    assert server.told == []


@every_engine
def test_replication_that_rests_goes_on_resting(run: Run, engine: str) -> None:
    stopped = link(engine, "replica", io_thread=ThreadState.STOPPED, sql_thread=ThreadState.STOPPED)
    server = Server(engine, at=stopped)
    assert run(server, settings={at_rest(engine): 8})["applied"] == [at_rest(engine)]
    assert server.told == [f"SET GLOBAL {at_rest(engine)}"]


@every_engine
def test_a_certificate_of_another_time_is_loaded(run: Run, engine: str, tmp_path: Path) -> None:
    file = tmp_path / "server.pem"
    file.write_text(PEM, encoding="ascii")
    server = Server(engine)
    result = run(server, certificate_file=str(file))
    assert (result["changed"], result["certificate_loaded"]) == (True, True)
    assert [told.split()[0] for told in server.told] in (["FLUSH"], ["ALTER"])


@every_engine
def test_a_certificate_that_was_just_written_is_loaded_and_not_in_check_mode(run: Run, engine: str) -> None:
    assert run(Server(engine), certificate_changed=True)["certificate_loaded"]
    server = Server(engine)
    assert run(server, certificate_changed=True, _ansible_check_mode=True)["changed"] is True
    assert server.told == []


@every_engine
def test_a_certificate_that_is_missing_is_a_refusal(run: Run, engine: str, tmp_path: Path) -> None:
    server = Server(engine)
    result = run(server, settings={"max_connections": 300}, certificate_file=str(tmp_path / "none.pem"))
    assert result["failed"]
    assert "cannot be read" in result["msg"]
    assert server.told == []


def test_a_server_that_does_not_answer_is_a_failure_and_in_check_mode_a_warning(run: Run) -> None:
    silent = ConnectionFailedError("the socket is not there", "start it")
    assert run(silent)["failed"]
    predicted = run(silent, _ansible_check_mode=True)
    assert (predicted["changed"], predicted["restart_needed"], predicted.get("failed", False)) == (False, [], False)
