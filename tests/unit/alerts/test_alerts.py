# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each alert fires when it must and does not when it must not, as Prometheus' own promtool judges."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from .tools import PROMTOOL, ROOT, needs_tools

RULES = ROOT / "roles" / "monitoring" / "files" / "rules"
CASES = Path(__file__).with_name("cases")
RUNBOOKS = ROOT / "docs" / "runbooks.md"
SECONDS = {"s": 1, "m": 60, "h": 3600}
INTERVAL = "15s"


def rules_of(path):
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"] if "alert" in rule]


ALERTS = {rule["alert"]: (path, rule) for path in sorted(RULES.glob("*.yml")) for rule in rules_of(path)}
TRIED = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(CASES.glob("*.yml"))}
every_alert = pytest.mark.parametrize("alert", ALERTS)


def seconds(duration):
    return int(duration[:-1]) * SECONDS[duration[-1]]


def test_group(alert, case):
    """Return the case as promtool reads it: how many alerts of this name and with these labels are firing."""
    interval = case.get("interval", INTERVAL)
    step, steps = seconds(interval), seconds(case["at"]) // seconds(interval) + 1
    series = dict(case["series"])
    for host in case.get("fresh", []):
        series[f'webinfra_replication_check_timestamp_seconds{{host="{host}"}}'] = f"0+{step}x{steps}"
    wanted = {"alertname": alert, "alertstate": "firing", **case.get("with", {})}
    matchers = ", ".join(f'{name}="{value}"' for name, value in wanted.items())
    return {
        "interval": interval,
        "input_series": [{"series": name, "values": str(values)} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"count(ALERTS{{{matchers}}})",
                "eval_time": case["at"],
                "exp_samples": [{"labels": "{}", "value": 1}] if "with" in case else [],
            }
        ],
    }


test_group.__test__ = False


def test_files(rules, cases):
    """Return what promtool reads: a document for each interval, because it judges a whole one at the same pace."""
    groups = [test_group(alert, case) for alert, both in cases.items() for case in both.values()]
    return {
        interval: {
            "rule_files": [str(rules)],
            "evaluation_interval": interval,
            "tests": [group for group in groups if group["interval"] == interval],
        }
        for interval in {group["interval"] for group in groups}
    }


test_files.__test__ = False
FILES = {
    f"{path.stem}, {interval}": document
    for path in sorted(RULES.glob("*.yml"))
    for interval, document in test_files(path, TRIED[path.stem]).items()
}


def judged(folder, document):
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump(document, width=1000))
    return subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, check=False)


@needs_tools
@pytest.mark.parametrize("path", sorted(RULES.glob("*.yml")), ids=lambda path: path.stem)
def test_the_rules_can_be_read(path):
    done = subprocess.run([PROMTOOL, "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_tools
@pytest.mark.parametrize("file", FILES)
def test_alerts_fire_when_they_must_and_are_quiet_when_they_must_be(file, tmp_path):
    done = judged(tmp_path, FILES[file])
    assert done.returncode == 0, done.stdout + done.stderr


@needs_tools
def test_an_alert_that_fires_where_none_is_expected_is_noticed(tmp_path):
    path, _rule = ALERTS["HostDown"]
    case = {key: value for key, value in TRIED["hosts"]["HostDown"]["fires"].items() if key != "with"}
    (document,) = test_files(path, {"HostDown": {"fires": case}}).values()
    assert judged(tmp_path, document).returncode != 0


@every_alert
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(alert):
    path, _rule = ALERTS[alert]
    case = TRIED[path.stem].get(alert, {})
    assert case.keys() == {"fires", "quiet"}
    assert "with" in case["fires"]
    assert case["quiet"].keys() >= {"why", "at", "series"}
    assert "with" not in case["quiet"]


def test_every_case_is_of_an_alert():
    assert {name for cases in TRIED.values() for name in cases} == ALERTS.keys()


@every_alert
def test_an_alert_says_what_is_wrong_what_it_means_and_what_to_do(alert):
    _path, rule = ALERTS[alert]
    assert rule["annotations"].keys() == {"summary", "impact", "action", "runbook_url"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}


@every_alert
def test_an_alert_has_a_section_in_the_runbooks(alert):
    _path, rule = ALERTS[alert]
    assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbooks.md#{alert.lower()}")
    assert re.search(rf"^### {alert}\n\n\S", RUNBOOKS.read_text(), re.MULTILINE)


def test_every_section_of_the_runbooks_is_of_an_alert():
    assert set(re.findall(r"^### (\S+)$", RUNBOOKS.read_text(), re.MULTILINE)) == ALERTS.keys()


def test_findings_with_an_alert_of_their_own_are_not_told_twice():
    text = (RULES / "databases.yml").read_text()
    (covered,) = set(re.findall(r'name!~"([^"]*)"', text))
    named = {name for names in re.findall(r'name=~?"([^"]*)"', text) for name in names.split("|")}
    # DatabaseDown and ReplicationLag have figures of their own.
    assert set(covered.split("|")) == named | {"server_unreachable", "status_hangs", "lag"}
