# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live pages and the dashboards show what the list of panels says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "roles" / "monitoring" / "files"
PANELS = yaml.safe_load((FILES / "panels.yml").read_text())
every_page = pytest.mark.parametrize("page", PANELS)


def panels(page):
    return [panel for section in PANELS[page]["sections"] for panel in section["panels"]]


def test_pages_and_dashboards_are_made_from_the_list_as_it_is():
    script = [sys.executable, ROOT / "scripts" / "telemetry_pages.py", "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run scripts/telemetry_pages.py: {done.stdout} differ"


@every_page
def test_a_dashboard_asks_the_queries_of_the_list(page):
    dashboard = json.loads((FILES / "grafana" / f"{page}.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert asked == [panel["query"] for panel in panels(page)]


@every_page
def test_no_panel_lies_over_another_one(page):
    dashboard = json.loads((FILES / "grafana" / f"{page}.json").read_text())
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in dashboard["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))


@every_page
def test_a_page_asks_nobody_else(page):
    text = (FILES / "consoles" / f"{page}.html").read_text()
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"<(script|link|img|iframe)\b", text)
