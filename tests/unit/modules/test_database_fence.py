# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._module import fence
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    ConnectionFailedError,
    LoginRefusedError,
    StatementFailedError,
    StatementTimeoutError,
)
from ansible_collections.webinfra.stack.plugins.modules import database_fence
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import dialect

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement

NO_ANSWER = ConnectionFailedError("it cannot be reached", "look")
HANGS = StatementTimeoutError("SET GLOBAL read_only", "did not answer")
LOCKED = StatementFailedError(1205, "Lock wait timeout exceeded")


class Host:
    """A database server under systemd, and a clock that stands still but for sleep."""

    def __init__(self, engine: str = "mariadb_11_8", *, state: str = "active") -> None:
        self.dialect = dialect(engine)
        self.closed = False
        self.state = state
        self.answers = True
        self.refuses_to_close: Exception | None = None
        self.comes_back_after = 5.0
        self.comes_back_open = False
        self.now = 0.0
        self.log: list[str] = []
        self._ended_at = float("inf")

    def query(self, statement: Statement) -> list[Row]:
        if "AS closed" in statement.sql:
            return [{"closed": int(self.closed)}]
        if statement.sql.startswith("SELECT"):
            return [{"id": 7}]
        if statement.sql.startswith("SET GLOBAL"):
            if self.refuses_to_close is not None:
                raise self.refuses_to_close
            self.closed = True
        self.log.append(statement.sql)
        return []

    def session(self) -> t.ContextManager[t.Any]:
        if self.now >= self._ended_at + self.comes_back_after:
            self._come_back()
        if not self.answers:
            raise NO_ANSWER
        return contextlib.nullcontext(self)

    def end(self, _unit: str) -> None:
        self.log.append("end")
        self.answers, self.state, self._ended_at = False, "inactive", self.now

    def start(self, _unit: str) -> None:
        self.log.append("start")
        self._come_back()

    def _come_back(self) -> None:
        self._ended_at = float("inf")
        self.refuses_to_close = None
        self.answers, self.state, self.closed = True, "active", not self.comes_back_open

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def fence(self, *, check: bool = False) -> fence.How:
        params = {"timeout": 1, "restart_timeout": 30, "login_user": "root"}
        means = fence.Means(
            end=self.end,
            start=self.start,
            state=lambda _unit: self.state,
            session=self.session,
            clock=lambda: self.now,
            sleep=self.sleep,
        )
        return fence.close("mariadb.service", params, means, check_mode=check)


@pytest.mark.parametrize("engine", ["mariadb_11_8", "mysql_9_7"])
def test_a_server_that_answers_is_closed_and_its_clients_are_cut(engine: str) -> None:
    host = Host(engine)
    assert host.fence(check=True) is fence.How.CLOSED
    assert host.log == []
    assert host.fence() is fence.How.CLOSED
    assert host.closed
    assert host.log[-1].startswith("KILL")
    assert host.fence() is fence.How.WAS_CLOSED


@pytest.mark.parametrize("problem", [HANGS, LOCKED], ids=["it hangs", "it waits for a lock"])
def test_a_server_that_does_not_let_itself_be_closed_is_ended_and_comes_back_closed(problem: Exception) -> None:
    host = Host()
    host.refuses_to_close = problem
    assert host.fence() is fence.How.KILLED
    assert host.closed
    assert host.log.count("end") == 1
    assert "start" not in host.log


def test_a_server_that_runs_and_does_not_answer_is_ended() -> None:
    host = Host()
    host.answers = False
    assert host.fence(check=True) is fence.How.KILLED
    assert host.log == []
    assert host.fence() is fence.How.KILLED


def test_a_server_that_systemd_does_not_bring_back_is_started() -> None:
    host = Host()
    host.refuses_to_close, host.comes_back_after = HANGS, 1000
    assert host.fence() is fence.How.KILLED
    assert host.log[-1] == "start"
    assert host.now >= 15


def test_a_server_that_comes_back_open_is_closed() -> None:
    host = Host()
    host.refuses_to_close, host.comes_back_open = HANGS, True
    assert host.fence() is fence.How.KILLED
    assert host.closed


def test_a_server_that_does_not_come_back_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    host.refuses_to_close, host.comes_back_after = HANGS, 1000
    monkeypatch.setattr(host, "start", lambda _unit: None)
    with pytest.raises(fence.FencingFailedError, match="not back and closed after 30 s: it cannot be reached"):
        host.fence()


@pytest.mark.parametrize("state", ["inactive", "failed"])
def test_a_server_that_does_not_run_is_left_alone(state: str) -> None:
    host = Host(state=state)
    host.answers = False
    assert host.fence() is fence.How.DOWN
    assert host.log == []


def test_a_server_that_is_about_to_start_is_waited_for() -> None:
    host = Host(state="activating")
    host.end("")
    host.state, host.log = "activating", []
    assert host.fence() is fence.How.STARTED
    assert (host.closed, host.log) == (True, [])


@pytest.mark.parametrize(
    "problem", [LoginRefusedError("no", "look"), StatementFailedError(1227, "denied")], ids=["login", "right"]
)
def test_a_server_is_not_ended_for_an_account_that_may_not_close_it(problem: Exception) -> None:
    host = Host()
    host.refuses_to_close = problem
    with pytest.raises(type(problem)):
        host.fence()
    assert "end" not in host.log


@pytest.mark.parametrize(
    ("loaded", "unit"), [("mariadb.service", "mariadb.service"), ("mysql.service", "mysql.service")]
)
def test_the_unit_is_the_one_that_the_host_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], loaded: str, unit: str
) -> None:
    host = Host()
    host.closed = True
    monkeypatch.setattr(fence, "session_for", lambda _params, **_: host.session())
    monkeypatch.setattr(database_fence.AnsibleModule, "run_command", _systemctl(loaded))
    with patch_module_args({}), pytest.raises(SystemExit):
        database_fence.main()
    result = json.loads(capsys.readouterr().out)
    assert (result["changed"], result["how"], result["unit"]) == (False, "was_closed", unit)


def _systemctl(loaded: str) -> c.Callable[..., tuple[int, str, str]]:
    def run(_module: object, words: list[str]) -> tuple[int, str, str]:
        return 0, "loaded\n" if words[-1] == loaded else "not-found\n", ""

    return run
