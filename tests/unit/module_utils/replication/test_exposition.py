# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import re

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.exposition import exposition
from ansible_collections.webinfra.stack.plugins.module_utils._replication.findings.finding import (
    Finding,
    Policy,
    Severity,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.findings.rules import FINDING_NAMES, evaluate
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import ClockOffset, Server, Topology
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, status

_LABEL = r'[a-z_]+="([^"\\\n]|\\.)*"'
LINE = re.compile(rf"webinfra_replication_[a-z_]+(\{{{_LABEL}(,{_LABEL})*\}})? -?[0-9.]+")
every_engine = pytest.mark.parametrize("engine", ENGINES)


def pair(engine: str, situation: str = "replica") -> Topology:
    host = link(engine, "replica").host
    clock = ClockOffset(least=-0.002, most=0.004)
    return Topology(
        (
            Server(name="db1", addresses=frozenset({host}), status=status(engine, "primary"), clock=clock),
            Server(name="db2", status=status(engine, situation), clock=clock),
            Server(name="db3", status=None),
        )
    )


def text(topology: Topology) -> str:
    return exposition(topology, evaluate(topology, Policy(max_lag=30)), checked_at=1795541389.5, seconds=0.0214)


@every_engine
@pytest.mark.parametrize("situation", ["replica", "conflict", "login_refused"])
def test_every_line_is_one_that_prometheus_reads(engine: str, situation: str) -> None:
    lines = text(pair(engine, situation)).splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in samples)
    described = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
    assert {re.split(r"[{ ]", line)[0] for line in samples} == described
    assert text(pair(engine, situation)).endswith("\n")


@every_engine
def test_a_replica_is_told_in_figures(engine: str) -> None:
    said = text(pair(engine)).splitlines()
    for line in (
        "webinfra_replication_check_timestamp_seconds 1795541389.5",
        "webinfra_replication_check_duration_seconds 0.021",
        'webinfra_replication_server_up{server="db3"} 0',
        'webinfra_replication_server_role{server="db2",role="replica"} 1',
        'webinfra_replication_lag_seconds{server="db2"} 0',
        'webinfra_replication_transactions_behind{server="db2"} 0',
        'webinfra_replication_io_thread_running{server="db2"} 1',
        'webinfra_replication_clock_offset_seconds{server="db2"} 0.001',
    ):
        assert line in said


@every_engine
def test_a_stopped_thread_is_no_lag_of_zero(engine: str) -> None:
    said = text(pair(engine, "conflict"))
    assert 'webinfra_replication_sql_thread_running{server="db2"} 0\n' in said
    assert "webinfra_replication_lag_seconds" not in said


@every_engine
def test_a_finding_says_one_and_every_other_zero(engine: str) -> None:
    said = text(pair(engine))
    for name in FINDING_NAMES:
        expected = int(name == "server_unreachable")
        assert f'webinfra_replication_finding{{name="{name}"}} {expected}\n' in said
    assert 'webinfra_replication_finding_info{name="server_unreachable",severity="critical",server="db3"} 1\n' in said
    assert 'webinfra_replication_findings{severity="critical"} 1\n' in said


def test_two_findings_of_one_name_and_server_are_one_sample() -> None:
    finding = Finding(name="lag", severity=Severity.WARNING, server="db2", reason="…", action="…")
    said = exposition(
        pair("mysql_9_7"), (finding, dataclasses.replace(finding, reason="else")), checked_at=1, seconds=1
    )
    assert said.count('finding_info{name="lag"') == 1
    assert 'webinfra_replication_findings{severity="warning"} 2\n' in said


def test_a_name_cannot_break_out_of_its_label() -> None:
    said = exposition(Topology((Server(name='d"b\\\n1', status=None),)), (), checked_at=1, seconds=1)
    assert 'webinfra_replication_server_up{server="d\\"b\\\\\\n1"} 0' in said
