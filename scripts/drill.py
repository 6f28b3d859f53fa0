#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run drills several times each on a running stack, and print the medians of what they cost.

Everything after -- goes to ansible-playbook: drill.py -i .demo/inventory.yml switchover -- -e drill_rate=100
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = "drill"
FAULTS = (
    *("switchover", "rolling_restart", "server_killed", "server_restarted", "host_dead", "partition"),
    *("partition_then_death", "replica_killed", "target_killed", "target_disk_full", "verb_killed", "to_and_fro"),
    *("reboot", "power_cut"),
)
SUMMED = ("acknowledged", "lost", "doubled", "differing", "reseeded")
MEDIANS = {
    "write_gap_seconds": "writes s",
    "read_gap_seconds": "reads s",
    "seconds_to_write": "to write s",
    "writes_closed_ms": "closed ms",
    "moved_ms": "move ms",
}


def hosts_of_the_scenario(engine: str) -> list[str]:
    """Build the scenario's hosts, if they are not there, and say how Ansible gets to them."""
    environment = {**os.environ, "ENGINE": engine}
    done = subprocess.run(["molecule", "converge", "--scenario-name", SCENARIO], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(f"The hosts of the scenario {SCENARIO} cannot be built")
    folders = sorted((ROOT / ".ansible" / "tmp").glob(f"molecule.*.{SCENARIO}"), key=os.path.getmtime)
    inventories = [ROOT / "molecule" / SCENARIO / "inventory", folders[-1] / "hosts" / "connections.yml"]
    options = [option for inventory in inventories for option in ("-i", str(inventory))]
    return [*options, "-e", f"webinfra_state_directory={folders[-1]}/state"]


def run(fault: str, number: int, arguments: argparse.Namespace, where: list[str]) -> bool:
    """Run one drill and tell whether it was passed; the report has what was found."""
    command = ["ansible-playbook", *where, "webinfra.stack.drill", "-e", f"drill_fault={fault}"]
    command += ["-e", f"drill_report={arguments.report}", *arguments.options]
    log = arguments.report.with_name(f"{arguments.report.stem}-{fault}-{number}.log")
    environment = {**os.environ, "ENGINE": arguments.engine}
    with log.open("w") as output:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=output, check=False)
    print(f"{fault} {number}: {'passed' if done.returncode == 0 else f'FAILED, see {log}'}", flush=True)
    return done.returncode == 0


def medians(records: list[dict[str, t.Any]]) -> dict[str, float | None]:
    """Return the median of every figure over the drills that have it."""
    found = {name: [r["figures"][name] for r in records if r["figures"][name] is not None] for name in MEDIANS}
    return {name: statistics.median(values) if values else None for name, values in found.items()}


def table(records: list[dict[str, t.Any]]) -> t.Iterator[str]:
    head = "".join(f"{name:>13}" for name in SUMMED) + "".join(f"{name:>12}" for name in MEDIANS.values())
    yield f"{'medians':22}{'runs':>5}{head}"
    for fault in dict.fromkeys(record["fault"] for record in records):
        runs = [record for record in records if record["fault"] == fault]
        sums = "".join(f"{sum(record['figures'][name] or 0 for record in runs):>13}" for name in SUMMED)
        shown = "".join(f"{'-' if value is None else f'{value:.2f}':>12}" for value in medians(runs).values())
        yield f"{fault:22}{len(runs):>5}{sums}{shown}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("-i", "--inventory", action="append", help="without it the hosts of the scenario are built")
    parser.add_argument("--engine", choices=["mariadb", "mysql"], default="mariadb", help="of the scenario")
    parser.add_argument("--runs", type=int, default=3, help="of each drill")
    parser.add_argument("--report", type=Path, default=ROOT / ".cache" / "drills.json")
    own, options = (sys.argv[1:], []) if "--" not in sys.argv else _split(sys.argv[1:])
    arguments = parser.parse_args(own)
    arguments.options = options
    arguments.report = arguments.report.resolve()
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.unlink(missing_ok=True)
    given = [option for path in arguments.inventory or [] for option in ("-i", path)]
    where = given or hosts_of_the_scenario(arguments.engine)
    wanted = [(fault, number) for fault in arguments.faults or FAULTS for number in range(1, arguments.runs + 1)]
    passed = [run(fault, number, arguments, where) for fault, number in wanted]
    records = json.loads(arguments.report.read_text()) if arguments.report.exists() else []
    print("\n".join(table(records)))
    print(f"{sum(passed)} of {len(passed)} passed; every figure is in {arguments.report}")
    sys.exit(not all(passed))


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    place = arguments.index("--")
    return arguments[:place], arguments[place + 1 :]


if __name__ == "__main__":
    main()
