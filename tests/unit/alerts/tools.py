# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' own judges, from the machine or from scripts/rule_tools.sh."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_PATH = os.pathsep.join([os.environ.get("PATH", ""), str(ROOT / ".cache" / "tools")])

PROMTOOL = shutil.which("promtool", path=_PATH)
AMTOOL = shutil.which("amtool", path=_PATH)

if PROMTOOL is None or AMTOOL is None:
    warnings.warn(
        "promtool or amtool is not installed: NO ALERT RULE IS TRIED. scripts/rule_tools.sh fetches both; "
        "the scenario telemetry tries the rules on its monitoring host",
        stacklevel=1,
    )

needs_tools = pytest.mark.skipif(
    PROMTOOL is None or AMTOOL is None, reason="PROMTOOL OR AMTOOL IS NOT INSTALLED: this alert rule was not tried"
)
