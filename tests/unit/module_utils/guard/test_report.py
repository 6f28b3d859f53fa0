# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._guard.report import Report, metrics
from ansible_collections.webinfra.stack.plugins.module_utils._replication.reopening import Cause, Done, Open, Stay

if t.TYPE_CHECKING:
    from pathlib import Path

ALONE = Stay(cause=Cause.ALONE, reason="db2 cannot be asked", action="bring db2 back")


def test_a_decision_is_told_once_however_often_it_is_made(tmp_path: Path) -> None:
    said: list[str] = []
    report = Report(str(tmp_path / "guard.prom"), said.append)
    for decision in (ALONE, ALONE, Open("all confirm"), Done("It takes writes"), ALONE):
        report.tell(decision)
    assert said == [
        "Closed (alone): db2 cannot be asked. What to do: bring db2 back",
        "Opening: all confirm",
        "Done: It takes writes",
        "Closed (alone): db2 cannot be asked. What to do: bring db2 back",
    ]


def test_the_metric_follows_the_decision(tmp_path: Path) -> None:
    file = tmp_path / "guard.prom"
    report = Report(str(file), lambda _words: None)
    report.tell(ALONE)
    assert 'webinfra_primary_guard_closed{reason="alone"} 1\n' in file.read_text()
    report.tell(Done("It takes writes"))
    assert 'webinfra_primary_guard_closed{reason="alone"} 0\n' in file.read_text()
    assert "} 1" not in file.read_text()


def test_every_cause_has_its_figure() -> None:
    lines = [line for line in metrics(ALONE).splitlines() if not line.startswith("#")]
    assert sorted(lines) == sorted(
        f'webinfra_primary_guard_closed{{reason="{cause.value}"}} {int(cause is Cause.ALONE)}' for cause in Cause
    )


def test_a_host_without_a_collector_is_told_so_and_guarded_all_the_same(tmp_path: Path) -> None:
    said: list[str] = []
    Report(str(tmp_path / "nowhere" / "guard.prom"), said.append).tell(ALONE)
    assert len(said) == 2
    assert "create its folder" in said[1]


def test_without_a_file_only_the_journal_is_told() -> None:
    said: list[str] = []
    Report(None, said.append).tell(ALONE)
    assert len(said) == 1
