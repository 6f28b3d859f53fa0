#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure site.yml on new hosts of the demo: tasks, the first run, and a run that changes nothing (median of three).

Machines differ, so the machine is measured as well: what one task that does nothing costs on all hosts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INVENTORY = ROOT / ".demo" / "inventory.yml"
# The most used roles on the same five hosts (docs/benchmarks.md says which, and how they were measured).
KNOWN = {"tasks": 120, "first_run_seconds": 50.0, "no_change_seconds": 27.0}
# What one ping on all hosts took where those were measured.
KNOWN_PING_SECONDS = 0.70
PINGS = 10


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


def ping_seconds() -> float:
    """Return what one more task costs that does nothing, on all hosts."""
    task = [{"ansible.builtin.ping": None}]
    with tempfile.TemporaryDirectory() as folder:
        took = []
        for count in (1, 1 + PINGS):
            playbook = Path(folder) / f"{count}.yml"
            playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": task * count}]))
            took.append(run("ansible-playbook", "-i", str(INVENTORY), str(playbook))[0])
    return (took[1] - took[0]) / PINGS


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
    ping = ping_seconds()
    if arguments.json:
        print(json.dumps({**figures, "ping_seconds": round(ping, 2)}))
        return
    slower = ping / KNOWN_PING_SECONDS
    print(f"A ping of all hosts takes {ping:.2f} s here, and took {KNOWN_PING_SECONDS:.2f} s where known was measured.")
    print(f"{'':20}{'here':>8}{'known':>8}{'ratio':>8}{'  at equal pings':>16}")
    for name, figure in figures.items():
        ratio = figure / KNOWN[name]
        fair = ratio if name == "tasks" else ratio / slower
        print(f"{name:20}{figure:>8}{KNOWN[name]:>8}{ratio:>8.2f}{fair:>16.2f}")


if __name__ == "__main__":
    main()
