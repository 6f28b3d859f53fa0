#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long a new replica of 1 GB takes until it has everything, and what a load of writes feels of it.

On the hosts of the scenario seed_existing_data: db1 takes several hundred writes a second while db2 is seeded from it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = "seed_existing_data"
GOALS = {"mariadb": 20.0, "mysql": 15.0}
LONGEST_STALL_SECONDS = 1.5


def molecule(verb: str, environment: dict[str, str]) -> None:
    command = ["molecule", verb, "--scenario-name", SCENARIO]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")


def notes(name: str) -> dict[str, object] | list[tuple[float, float, str | None]]:
    """Read what the scenario has written down in its last run."""
    found = sorted((ROOT / ".ansible" / "tmp").glob(f"molecule.*.{SCENARIO}/{name}"), key=os.path.getmtime)
    return json.loads(found[-1].read_text())


def measure(engine: str, megabytes: int) -> dict[str, float]:
    environment = {"ENGINE": engine, "BALLAST_MB": str(megabytes)}
    molecule("destroy", environment)
    molecule("converge", environment)
    done, records = notes("seeded.json"), notes("records.json")
    molecule("destroy", environment)
    begin, end = float(done["begin"]), float(done["compared"]["caught_up_at"])
    during = [seconds for moment, seconds, _failure in records if begin <= moment <= end]
    return {
        "copied_seconds": round(float(done["end"]) - begin, 1),
        "lag_0_seconds": round(end - begin, 1),
        "writes_per_second": round(2 * len(during) / (end - begin)),  # a record is an INSERT and an UPDATE
        "longest_stall_seconds": round(max(during), 2),
        "failed_writes": sum(1 for _moment, _seconds, failure in records if failure),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=sorted(GOALS), action="append", help="one engine instead of both")
    parser.add_argument("--megabytes", type=int, default=1024, help="rows to seed")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    figures = {engine: measure(engine, arguments.megabytes) for engine in arguments.engine or sorted(GOALS)}
    if arguments.json:
        print(json.dumps(figures))
        return
    for engine, found in figures.items():
        print(f"{engine}, {arguments.megabytes} MB:")
        for name, figure in found.items():
            print(f"  {name:24}{figure:>8}")
        print(f"  {'goal until lag 0':24}{GOALS[engine]:>8}")
        print(f"  {'goal for the stall':24}{LONGEST_STALL_SECONDS:>8}")


if __name__ == "__main__":
    main()
