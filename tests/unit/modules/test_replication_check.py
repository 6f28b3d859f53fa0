# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from typing_extensions import Self

from ansible_collections.webinfra.stack.plugins.module_utils._module import check
from ansible_collections.webinfra.stack.plugins.module_utils._replication.exposition import SERVER_METRICS
from ansible_collections.webinfra.stack.plugins.module_utils._replication.findings.canary import Sighting
from ansible_collections.webinfra.stack.plugins.module_utils._replication.findings.rules import FINDING_NAMES
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology
from ansible_collections.webinfra.stack.plugins.modules import replication_check
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, status

PAGE = Path(__file__).parents[3] / "docs" / "findings.md"
every_engine = pytest.mark.parametrize("engine", ENGINES)


class FakeSurvey:
    """Shows one topology after the other, and a canary that arrives or does not."""

    def __init__(self, topologies: list[Topology], seconds: float | None = 0.01) -> None:
        self.topologies = topologies
        self.seconds = seconds
        self.flights = 0

    def __call__(self, _targets: t.Any, _heartbeat_schema: str) -> FakeSurvey:
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
        monkeypatch.setattr(check, "_PAUSE_SECONDS", 0.01)
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


def warned(engine: str) -> Topology:
    """Return a pair with a warning."""
    primary, replica = pair(engine).servers
    late = dataclasses.replace(status(engine, "replica"), link=link(engine, "replica", lag_seconds=99))
    return Topology((primary, dataclasses.replace(replica, status=late)))


@every_engine
def test_a_warning_fails_unless_only_worse_is_to_fail(run: Run, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: said.append(text))
    assert run(FakeSurvey([warned(engine)]))["failed"]
    assert said == []
    result = run(FakeSurvey([warned(engine)]), fail_on="critical")
    assert "failed" not in result
    assert [finding["name"] for finding in result["findings"]] == ["lag"]
    assert said[0].startswith("db2: lag (warning): it is 99 s behind")


@every_engine
def test_only_what_fails_is_waited_for(run: Run, engine: str) -> None:
    survey = FakeSurvey([pair(engine, "login_refused"), warned(engine), pair(engine)])
    result = run(survey, timeout=5, fail_on="critical")
    assert [finding["name"] for finding in result["findings"]] == ["lag"]


@every_engine
def test_what_fails_is_not_joined_by_what_does_not(run: Run, engine: str) -> None:
    primary, replica = warned(engine).servers
    assert replica.status is not None
    both = Topology(
        (primary, dataclasses.replace(replica, status=dataclasses.replace(replica.status, read_only=False)))
    )
    result = run(FakeSurvey([both]), fail_on="critical")
    assert result["msg"].splitlines()[0] == "Replication has 1 finding:"
    assert len(result["findings"]) == 2


@every_engine
def test_a_server_is_shown_beside_the_primary(run: Run, engine: str) -> None:
    shown = run(FakeSurvey([pair(engine)]))["servers"]["db2"]
    assert (shown["transactions_behind"], shown["gtid_errant"]) == (0, "")
    assert shown["heartbeat_lag_seconds"] is not None


@every_engine
def test_the_findings_are_left_for_the_collector_even_when_they_fail(run: Run, engine: str, tmp_path: Path) -> None:
    file = tmp_path / "replication.prom"
    result = run(FakeSurvey([pair(engine, "conflict")]), textfile=str(file))
    assert result["failed"]
    assert 'webinfra_replication_finding{name="thread_stopped"} 1\n' in file.read_text(encoding="utf-8")


@every_engine
def test_check_mode_writes_no_file(run: Run, engine: str, tmp_path: Path) -> None:
    run(FakeSurvey([pair(engine)]), textfile=str(tmp_path / "replication.prom"), _ansible_check_mode=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    result = run(FakeSurvey([pair("mysql_9_7")]), textfile=str(tmp_path / "nowhere" / "replication.prom"))
    assert result["failed"]
    assert "cannot be written" in result["msg"]


def test_the_documentation_names_every_finding_and_every_metric() -> None:
    for name in FINDING_NAMES:
        assert f"V({name})" in replication_check.RETURN
        assert f"`{name}`" in PAGE.read_text(encoding="utf-8")
    for metric in SERVER_METRICS:
        assert f"C({metric.name})" in replication_check.DOCUMENTATION


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
