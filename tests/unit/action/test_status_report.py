# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.webinfra.stack.plugins.action.status_report import ActionModule
from ansible_collections.webinfra.stack.tests.status_samples import Sample

FILES = {"status.html", "status.json", "status.md", "status.prom"}


@pytest.fixture
def report(run_action, tmp_path):
    """Run the action on the answers of a stack."""
    shown: list[str] = []

    def run(sample, *, check_mode=False, **options):
        arguments = {
            "url": sample.url,
            "hosts": sample.hosts,
            "provider": "haproxy",
            "engine": "mariadb",
            "surveys": sample.surveys,
            "balancers": sample.balancers,
            "databases": sample.databases,
            "directory": str(tmp_path / "status"),
            **options,
        }
        result, told = run_action(ActionModule, arguments, check_mode=check_mode)
        shown.extend(told)
        return result

    run.shown = shown
    run.folder = tmp_path / "status"
    return run


def test_the_files_are_written_and_nothing_is_changed(report):
    result = report(Sample())
    assert (result["changed"], result.get("failed", False), result["level"]) == (False, False, "well")
    assert {path.name for path in report.folder.iterdir()} == result["paths"].keys() == FILES
    assert json.loads((report.folder / "status.json").read_text())["sentence"] == result["sentence"]


def test_the_tree_and_the_places_of_the_files_are_shown(report):
    report(Sample())
    assert "● web1" in report.shown[0]
    assert str(report.folder / "status.html") in report.shown[0]


def test_check_mode_shows_the_tree_and_writes_nothing(report):
    result = report(Sample(), check_mode=True)
    assert (result["changed"], result["paths"], report.folder.exists()) == (False, {}, False)
    assert "● web1" in report.shown[0]


@pytest.mark.parametrize(
    ("sample", "fail_on", "failed"),
    [
        (Sample().stop("db1"), "never", False),
        (Sample().stop("db1"), "critical", True),
        (Sample().stop("web1"), "critical", False),
        (Sample().stop("web1"), "warning", True),
        (Sample(), "warning", False),
    ],
    ids=["never", "as bad", "not as bad", "worse than well", "well"],
)
def test_it_fails_on_request_after_everything_was_written(report, sample, fail_on, failed):
    result = report(sample, fail_on=fail_on)
    assert (result["changed"], result.get("failed", False)) == (False, failed)
    assert {path.name for path in report.folder.iterdir()} == FILES


def test_a_folder_that_cannot_be_used_is_named(report):
    with pytest.raises(AnsibleActionFail, match="/proc/nowhere"):
        report(Sample(), directory="/proc/nowhere")
