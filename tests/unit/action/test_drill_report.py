# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.webinfra.stack.plugins.action.drill_report import ActionModule

JOURNAL = (
    "written 1 0 0.1 1790000000\nread - 0 0.1 1790000000\nwritten 2 0.2 0.3 1790000001\nended - 0.3 0.3 1790000001\n"
)
MOVED = {"seconds": 3.2, "result": {"writes_closed_ms": 20.0, "steps": [{"at_ms": 5.0, "took_ms": 2.0}]}}


@pytest.fixture
def report(run_action, tmp_path):
    """Run the action on files with a journal and with what two servers have."""
    (tmp_path / "journal").write_text(JOURNAL)
    for server in ("db1", "db2"):
        (tmp_path / server).write_text("1\n2\n")
    shown: list[str] = []

    def run(**options):
        given = {
            "fault": "switchover",
            "engine": "mariadb",
            "durability": "no_loss",
            "journals": [str(tmp_path / "journal")],
            "rows": {server: str(tmp_path / server) for server in ("db1", "db2")},
            "open_servers": ["db2"],
            "checks": {"site": {"code": 0, "changes": [], "complaints": []}},
            "verb": MOVED,
            "path": str(tmp_path / "report.json"),
        }
        result, told = run_action(ActionModule, {**given, **options})
        shown.extend(told)
        return result

    run.shown = shown
    run.folder = tmp_path
    return run


def test_a_drill_that_is_passed_changes_the_report_and_prints_a_table(report):
    result = report()
    assert (result["changed"], result.get("failed", False), result["failures"]) == (True, False, [])
    assert result["figures"]["writes_closed_ms"] == 20.0
    assert result["figures"]["moved_ms"] == 7.0
    assert "all is well" in report.shown[0]


def test_a_server_that_had_to_be_filled_anew_is_counted(report):
    assert report(reseeded=1)["figures"]["reseeded"] == 1
    assert "old primaries filled anew                1" in report.shown[0]
    assert report()["figures"]["reseeded"] is None
    assert "filled anew" not in report.shown[1]


def test_the_report_is_a_list_to_which_every_drill_is_added(report):
    report()
    report()
    records = json.loads((report.folder / "report.json").read_text())
    assert [(record["fault"], record["passed"], record["verb_seconds"]) for record in records] == [
        ("switchover", True, 3.2)
    ] * 2


def test_without_a_report_nothing_is_changed(report):
    assert report(path=None)["changed"] is False


def test_a_lost_row_fails_and_is_in_the_report(report):
    (report.folder / "db1").write_text("1\n")
    result = report()
    assert result["failed"]
    assert "1 acknowledged rows are lost: 2" in result["msg"]
    assert not json.loads((report.folder / "report.json").read_text())[0]["passed"]


def test_a_missed_goal_fails_only_where_goals_are_asked_for(report):
    slow = {"result": {"writes_closed_ms": 51.0}}
    assert not report(verb=slow).get("failed", False)
    assert "writes_closed_ms" in report(verb=slow, goals_required=True)["msg"]


@pytest.mark.parametrize(
    "options",
    [{"journals": ["/nowhere"]}, {"rows": {"db1": "/nowhere"}}, {"path": "/proc/nowhere/report.json"}],
    ids=["journal", "rows", "report"],
)
def test_a_file_that_cannot_be_used_is_named(report, options):
    with pytest.raises(AnsibleActionFail, match="nowhere"):
        report(**options)
