# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from typing_extensions import Self

from ansible_collections.webinfra.stack.plugins.module_utils._module import moves
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.moving import Watch
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Beat, ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import SourceView
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Topology
from ansible_collections.webinfra.stack.plugins.modules import failover, switchover
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.moves.building import (
    SILENT,
    gone,
    primary,
    replica,
    trio,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import session

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Session, Statement

SECRET = "not to be shown"
LAST = Beat(server_id=1, age_seconds=2.0, commit_wait_seconds=4_294_967, acknowledging_replicas=2)
HEADLESS = Topology((gone(), *(replica(name, beat_of_another=LAST, **SILENT) for name in ("db2", "db3"))))


class FakeSession:
    """Takes every statement, is always there at once, and has never been moved."""

    def __init__(self) -> None:
        self.dialect = session("mariadb_11_8").dialect
        self.asked: list[Statement] = []

    def query(self, statement: Statement) -> list[Row]:
        self.asked.append(statement)
        answers: dict[str, dict[str, t.Any]] = {
            "AS position": {"position": "0-1-10"},
            "AS late": {"late": 0},
            "tables_found": {"tables_found": 0},
        }
        return [row for words, row in answers.items() if words in statement.sql]


class FakeFleet:
    """Shows one topology, and keeps what is said to each server."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.sessions = {server.name: FakeSession() for server in topology.servers}

    def __call__(self, _targets: t.Any, _schema: str) -> FakeFleet:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        return

    def read(self, _gone: t.Any = ()) -> Topology:
        return self.topology

    def session(self, name: str) -> Session:
        return self.sessions[name]

    def forget(self, name: str) -> None:
        raise AssertionError(f"nothing fails, but {name}")

    def at_once(self, lanes: c.Sequence[c.Callable[[], None]]) -> None:
        for lane in lanes:
            lane()

    @property
    def changes(self) -> list[str]:
        asked = [statement.sql for session in self.sessions.values() for statement in session.asked]
        return [sql for sql in asked if not sql.startswith("SELECT")]


class Run(t.Protocol):
    def __call__(self, module: t.Any, fleet: FakeFleet, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(module: t.Any, fleet: FakeFleet, **options: t.Any) -> dict[str, t.Any]:
        seen = SourceView(identity=t.cast("t.Any", object()))
        monkeypatch.setattr(moves, "Fleet", fleet)
        monkeypatch.setattr(moves, "look_at_source", lambda _source, **_limits: seen)
        servers = [{"name": f"db{number}", "host": f"10.0.0.{number}"} for number in (1, 2, 3)]
        secrets = {"login_password": SECRET, "replication_password": SECRET}
        arguments = {"servers": servers, "login_user": "mover", "replication_user": "replication", **secrets, **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        printed = capsys.readouterr().out
        assert SECRET not in printed
        result: dict[str, t.Any] = json.loads(printed)
        return result

    return run_module


def test_check_mode_returns_the_plan_and_says_nothing_to_the_servers(run: Run) -> None:
    fleet = FakeFleet(trio())
    result = run(switchover, fleet, _ansible_check_mode=True)
    assert (result["changed"], result["primary"], result["steps"]) == (True, "db2", [])
    assert result["diff"]["after"] == {"db1": "replica of db2", "db2": "primary", "db3": "replica of db2"}
    assert result["summary"] == "db2 would take the writes over from db1"
    assert [stage["stage"] for stage in result["plan"]] == [
        *("approach", "close", "catch up", "hand over", "check", "record"),
    ]
    assert fleet.changes == []


def test_a_replica_is_deaf_when_nothing_arrives_for_as_long_as_asked_by_the_clock_of_who_looks() -> None:
    now = iter([0.0, 1.0, 2.0, 3.0, 4.0])
    watch = Watch(silence_seconds=2, clock=lambda: next(now))
    hearing = replica("db3", link_received=10)
    looks = [watch.look(Topology((gone(), replica("db2", link_received=10), hearing))) for _ in range(2)]
    hearing = replica("db3", link_received=11)
    looks += [watch.look(Topology((gone(), replica("db2", link_received=10), hearing))) for _ in range(3)]
    assert looks == [set(), set(), {"db2"}, {"db2"}, {"db2", "db3"}]


def test_a_failover_in_check_mode_says_what_would_be_lost(run: Run) -> None:
    fleet = FakeFleet(HEADLESS)
    result = run(failover, fleet, _ansible_check_mode=True, durability="no_loss")
    assert (result["changed"], result["primary"], result["former_primary"]) == (True, "db2", "db1")
    assert result["lost"]["nothing_acknowledged_lost"]
    assert fleet.changes == []


@pytest.mark.parametrize(
    ("module", "topology", "words"),
    [(switchover, HEADLESS, "db1 cannot be asked"), (failover, trio(), "db1 answers")],
    ids=["switchover", "failover"],
)
def test_a_refusal_fails_and_changes_nothing(run: Run, module: t.Any, topology: Topology, words: str) -> None:
    fleet = FakeFleet(topology)
    result = run(module, fleet)
    assert result["failed"]
    assert words in result["msg"]
    assert fleet.changes == []


@pytest.mark.parametrize(
    ("topology", "one_sided"),
    [
        (Topology((primary(), gone("db2"), gone("db3"))), True),
        (Topology((gone(), gone("db2"), replica("db3", **SILENT))), True),
        (Topology((gone(), replica("db2", **SILENT), replica("db3", link_io_thread=ThreadState.RUNNING))), False),
        (trio(), False),
    ],
    ids=["the primary alone", "one replica of two", "a primary that is still heard", "all"],
)
def test_a_refusal_tells_whether_another_host_may_see_more(run: Run, topology: Topology, *, one_sided: bool) -> None:
    result = run(failover, FakeFleet(topology), timeout=0)
    assert (result["failed"], result["one_sided"]) == (True, one_sided)


def test_a_primary_that_is_named_as_the_target_is_left_in_peace(run: Run) -> None:
    fleet = FakeFleet(trio())
    result = run(switchover, fleet, target="db1")
    assert (result["changed"], result["primary"], result["plan"]) == (False, "db1", [])
    assert fleet.changes == []


def test_a_list_with_a_server_twice_is_refused(run: Run) -> None:
    servers = [{"name": "db1", "host": "a"}, {"name": "db1", "host": "b"}]
    assert "exactly once" in run(switchover, FakeFleet(trio()), servers=servers)["msg"]
