# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import (
    Overrides,
    Pool,
    PoolError,
    PoolServer,
    Provider,
    ServerState,
)
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.status import ServerStatus
from ansible_collections.webinfra.stack.plugins.module_utils._module import server_state as changing
from ansible_collections.webinfra.stack.plugins.modules import server_state

if t.TYPE_CHECKING:
    import collections.abc as c

WEB1 = PoolServer(name="web1", address="10.0.0.1", port=80, weight=3)
WEB2 = PoolServer(name="web2", address="10.0.0.2", port=80)


class FakePool:
    """A balancer that does what it is told, at once."""

    def __init__(self, *, up: bool | None = True) -> None:
        self.pool = Pool(provider=Provider.HAPROXY, health_path="/healthz", servers=(WEB1, WEB2))
        self.overrides = Overrides()
        self.pending = False
        self.sessions = 0
        self.unready: dict[str, str] = {}
        self.fails: str | None = None
        self.done: list[str] = []
        self._up = up

    def __call__(self, _module: t.Any) -> FakePool:
        return self

    @contextlib.contextmanager
    def locked(self) -> c.Iterator[None]:
        self.done.append("lock")
        yield
        self.done.append("unlock")

    def look(self) -> list[ServerStatus]:
        return [
            ServerStatus(
                server=server,
                state=self.overrides.state_of(server),
                weight=self.overrides.weight_of(server),
                up=self._up,
                sessions=0,
                requests=10,
                override=self.overrides.get(server.name),
            )
            for server in self.pool.servers
        ]

    def status(self, server: PoolServer) -> ServerStatus:
        return next(status for status in self.look() if status.server == server)

    def validate(self, _overrides: Overrides) -> None:
        self.done.append("validate")

    def set(self, overrides: Overrides) -> None:
        if self.fails:
            raise PoolError(self.fails)
        self.done.append("set")
        self.overrides = overrides

    def wait_until_idle(self, _server: PoolServer, _seconds: float) -> int:
        self.done.append("wait")
        return self.sessions

    def why_not_ready(self, server: PoolServer, _seconds: float = 0) -> str | None:
        return self.unready.get(server.name)

    def wait_until_up(self, _server: PoolServer, _seconds: float) -> bool:
        return True


class Run(t.Protocol):
    def __call__(self, pool: FakePool, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(pool: FakePool, **options: t.Any) -> dict[str, t.Any]:
        monkeypatch.setattr(changing, "RunningPool", pool)
        with patch_module_args({"server": "web1", **options}), pytest.raises(SystemExit):
            server_state.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return run_module


def test_a_server_is_taken_out_once_and_waited_for_each_time(run: Run) -> None:
    pool = FakePool()
    first = run(pool, state="drain", reason="new kernel", requested_by="anna")
    assert (first["changed"], first["sessions"], first["servers"][0]["state"]) == (True, 0, "drain")
    assert first["diff"]["after"] == {"server": "web1", "state": "drain", "weight": 3}
    assert first["servers"][0]["override"]["reason"] == "new kernel"
    assert pool.done == ["lock", "validate", "set", "unlock", "wait"]
    assert run(pool, state="drain")["changed"] is False
    assert pool.done[5:] == ["lock", "unlock", "wait"]


def test_check_mode_predicts_that_and_does_nothing(run: Run) -> None:
    pool = FakePool()
    predicted = run(pool, state="drain", _ansible_check_mode=True)
    assert (predicted["changed"], predicted["sessions"]) == (True, None)
    assert (pool.overrides, pool.done) == ({}, ["lock", "unlock"])
    assert run(pool, state="drain")["diff"] == predicted["diff"]


def test_what_a_killed_run_has_left_is_finished(run: Run) -> None:
    pool = FakePool()
    run(pool, state="drain")
    pool.pending = True
    assert run(pool, state="drain")["changed"]


def test_sessions_that_do_not_end_are_red_unless_they_may_be_cut(run: Run) -> None:
    pool = FakePool()
    pool.sessions = 2
    left = run(pool, state="drain", timeout=1)
    assert (left["failed"], left["changed"]) == (True, True)
    assert "web1 gets no new requests, but still has 2 sessions after 1 s" in left["msg"]
    assert pool.overrides["web1"].state is ServerState.DRAIN
    assert run(pool, state="drain", timeout=1, at_timeout="proceed")["sessions"] == 2


def test_the_last_server_stays(run: Run) -> None:
    pool = FakePool()
    run(pool, state="drain")
    refused = run(pool, server="web2", state="drain")
    assert refused["failed"]
    assert "No other server would answer: web1 is in drain" in refused["msg"]
    assert run(pool, server="web2", state="drain", force=True)["changed"]


def test_where_the_balancer_asks_nobody_the_others_are_asked_before_one_is_taken_out(run: Run) -> None:
    pool = FakePool(up=None)
    pool.unready["web2"] = "answered 503"
    refused = run(pool, state="drain")
    assert "No other server would answer: web2 is down" in refused["msg"]


def test_a_server_that_is_not_ready_is_not_put_back(run: Run) -> None:
    pool = FakePool()
    run(pool, state="maintenance")
    pool.unready["web1"] = "answered 503"
    refused = run(pool, timeout=1)
    assert (refused["failed"], refused["changed"]) == (True, False)
    assert "web1 is not put back: /healthz at 10.0.0.1:80 was answered 503" in refused["msg"]
    assert pool.overrides["web1"].state is ServerState.MAINTENANCE
    assert run(pool, timeout=0)["changed"]
    assert pool.overrides == {}


def test_what_fails_half_way_says_that_it_is_kept(run: Run) -> None:
    pool = FakePool()
    pool.fails = "nginx goes on with its older configuration"
    failed = run(pool, state="drain")
    assert (failed["failed"], failed["changed"]) == (True, True)
    assert "the next run goes on with it" in failed["msg"]


def test_a_server_that_somebody_put_back_meanwhile_is_not_called_drained(run: Run, monkeypatch: t.Any) -> None:
    pool = FakePool()

    def put_back(_server: PoolServer, _seconds: float) -> int:
        pool.overrides = Overrides()
        return 0

    monkeypatch.setattr(pool, "wait_until_idle", put_back)
    assert "was put back by somebody else meanwhile" in run(pool, state="drain")["msg"]


def test_an_unknown_server_is_refused_with_those_that_there_are(run: Run) -> None:
    assert "web9 is no server of this balancer; it has web1, web2" in run(FakePool(), server="web9")["msg"]
