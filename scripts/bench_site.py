#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure site.yml on new hosts of the demo: tasks, the first run, and a run that changes nothing (median of three)."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INVENTORY = ROOT / ".demo" / "inventory.yml"
# The most used roles on the same five hosts (docs/benchmarks.md says which, and how they were measured).
KNOWN = {"tasks": 120, "first_run_seconds": 50.0, "no_change_seconds": 27.0}


def run(*command: str) -> tuple[float, str]:
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return seconds, done.stdout


def site() -> tuple[float, int, int]:
    """Run the site once; return its seconds, its tasks and how many results changed something."""
    seconds, output = run("ansible-playbook", "-i", str(INVENTORY), "site.yml")
    changed = sum(int(count) for count in re.findall(r"changed=(\d+)", output))
    return seconds, len(re.findall(r"^TASK \[", output, re.MULTILINE)), changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    os.environ["ANSIBLE_STDOUT_CALLBACK"] = "default"

    run("ansible-playbook", "-i", "/dev/null", "webinfra.stack.demo_down")
    run("ansible-playbook", "-i", "/dev/null", "webinfra.stack.demo_hosts")
    first, _tasks, _changed = site()
    repeats = [site() for _ in range(3)]
    if any(changed for _seconds, _tasks, changed in repeats):
        sys.exit("A repeated run changed something; its time means nothing.")
    figures = {
        "tasks": repeats[0][1],
        "first_run_seconds": round(first, 1),
        "no_change_seconds": round(statistics.median(seconds for seconds, _tasks, _changed in repeats), 1),
    }
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"{'':20}{'here':>8}{'known':>8}{'ratio':>8}")
    for name, figure in figures.items():
        print(f"{name:20}{figure:>8}{KNOWN[name]:>8}{figure / KNOWN[name]:>8.2f}")


if __name__ == "__main__":
    main()
