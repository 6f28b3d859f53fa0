# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from typing_extensions import Self

from ansible_collections.webinfra.stack.plugins.module_utils._module import check
from ansible_collections.webinfra.stack.plugins.module_utils._replication.policy import Sighting
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology
from ansible_collections.webinfra.stack.plugins.modules import replication_check
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, status

every_engine = pytest.mark.parametrize("engine", ENGINES)


class FakeSurvey:
    """Shows one topology after the other, and a canary that arrives or does not."""

    def __init__(self, topologies: list[Topology], seconds: float | None = 0.01) -> None:
        self.topologies = topologies
        self.seconds = seconds
        self.flights = 0

    def __call__(self, _targets: t.Any) -> FakeSurvey:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        return

    def read(self) -> Topology:
        return self.topologies.pop(0) if len(self.topologies) > 1 else self.topologies[0]

    def fly_canary(self, _primary: Server, replicas: t.Any, _database: str, _timeout: float) -> list[Sighting]:
        self.flights += 1
        return [Sighting(server=server.name, seconds=self.seconds) for server in replicas]


def pair(engine: str, situation: str = "replica") -> Topology:
    host = link(engine, "replica").host
    return Topology(
        (
            Server(name="db1", addresses=frozenset({host}), status=status(engine, "primary")),
            Server(name="db2", addresses=frozenset({"10.9.9.9"}), status=status(engine, situation)),
        )
    )


class Run(t.Protocol):
    def __call__(self, survey: FakeSurvey, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(survey: FakeSurvey, **options: t.Any) -> dict[str, t.Any]:
        monkeypatch.setattr(check, "Survey", survey)
        servers = [{"name": "db1", "host": "10.0.0.1"}, {"name": "db2", "host": "10.0.0.2"}]
        arguments = {"servers": servers, "login_user": "monitoring", **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            replication_check.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        assert result.get("changed", False) is False
        return result

    return run_module


@every_engine
def test_a_healthy_pair_passes(run: Run, engine: str) -> None:
    result = run(FakeSurvey([pair(engine)]))
    assert "failed" not in result
    assert (result["primary"], result["replicas"], result["findings"]) == ("db1", ["db2"], [])
    assert result["canary"] == {"flown": False, "reason": "not asked for", "seconds": {}}


@every_engine
def test_all_findings_are_told_one_a_line(run: Run, engine: str) -> None:
    result = run(FakeSurvey([pair(engine, "conflict")]))
    assert result["failed"]
    assert {finding["name"] for finding in result["findings"]} == {"thread_stopped", "errant_transactions"}
    lines = result["msg"].splitlines()
    assert lines[0] == "Replication has 2 findings:"
    assert all(line.startswith("- db2: ") and "What to do: " in line for line in lines[1:])


@every_engine
def test_a_finding_that_goes_away_in_time_is_none(run: Run, engine: str) -> None:
    result = run(FakeSurvey([pair(engine, "login_refused"), pair(engine)]), timeout=5)
    assert result["findings"] == []


@every_engine
def test_a_canary_is_flown_and_timed(run: Run, engine: str) -> None:
    survey = FakeSurvey([pair(engine)])
    result = run(survey, canary=True)
    assert survey.flights == 1
    assert result["canary"] == {"flown": True, "reason": None, "seconds": {"db2": 0.01}}


@every_engine
def test_a_lost_canary_is_a_finding(run: Run, engine: str) -> None:
    result = run(FakeSurvey([pair(engine)], seconds=None), canary=True)
    assert [finding["name"] for finding in result["findings"]] == ["canary_lost"]


@every_engine
def test_check_mode_writes_no_canary_and_says_so(run: Run, engine: str) -> None:
    survey = FakeSurvey([pair(engine)])
    result = run(survey, canary=True, _ansible_check_mode=True)
    assert survey.flights == 0
    assert "check mode" in result["canary"]["reason"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"servers": []}, "exactly once"),
        ({"servers": [{"name": "db1", "host": "a"}, {"name": "db1", "host": "b"}]}, "exactly once"),
        ({"primary": "db9"}, "db9 is none of the servers"),
    ],
    ids=["no servers", "listed twice", "unknown primary"],
)
def test_an_impossible_list_of_servers_is_refused(run: Run, options: dict[str, t.Any], words: str) -> None:
    result = run(FakeSurvey([]), **options)
    assert result["failed"]
    assert words in result["msg"]
