#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure on the running demo what it costs that a commit waits for a replica: semi-synchronous and not, in turn."""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys

PRIMARY, REPLICA = "webinfra-demo-db1", "webinfra-demo-db2"
SCHEMA = "commit_bench"
SWITCHES = {"mariadb": "rpl_semi_sync_master_enabled", "mysql": "rpl_semi_sync_source_enabled"}
UNACKNOWLEDGED = {"mariadb": "Rpl_semi_sync_master_no_tx", "mysql": "Rpl_semi_sync_source_no_tx"}
POSITIONS = {"mariadb": "@@gtid_current_pos", "mysql": "@@gtid_executed"}
WAITS = {"mariadb": "MASTER_GTID_WAIT", "mysql": "WAIT_FOR_EXECUTED_GTID_SET"}
CATCH_UP_SECONDS = 300


def on(host: str, *command: str) -> str:
    done = subprocess.run(["docker", "exec", host, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed: {done.stderr.strip()}\nIs the demo running? make demo")
    return done.stdout


class Primary:
    """The server, and its engine's own load generator."""

    def __init__(self) -> None:
        mariadb = "mariadbd" in on(PRIMARY, "ps", "-A", "-o", "comm")
        self.engine = "mariadb" if mariadb else "mysql"
        self._client, self._slap = ("mariadb", "mariadb-slap") if mariadb else ("mysql", "mysqlslap")
        self._switch = SWITCHES[self.engine]

    def sql(self, statement: str, host: str = PRIMARY) -> str:
        return on(host, self._client, "--batch", "--skip-column-names", "--execute", statement)

    def let_replica_catch_up(self) -> None:
        """Wait until nothing is left to apply, which would take its time from the next round."""
        position = self.sql(f"SELECT {POSITIONS[self.engine]}").strip().replace("\\n", "")
        if self.sql(f"SELECT {WAITS[self.engine]}('{position}', {CATCH_UP_SECONDS})", REPLICA).strip() != "0":
            sys.exit(f"The replica has not applied everything within {CATCH_UP_SECONDS} s")

    def wait_for_replica(self, *, waits: bool) -> None:
        self.sql(f"SET GLOBAL {self._switch} = {int(waits)}")

    def unacknowledged(self) -> int:
        """Count the commits that were to wait for a replica and did not."""
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{UNACKNOWLEDGED[self.engine]}'").split()[-1])

    def commits_per_second(self, clients: int, commits: int) -> float:
        """Insert one row a commit, and return how many there were in a second."""
        said = on(
            PRIMARY,
            self._slap,
            f"--concurrency={clients}",
            f"--number-of-queries={commits}",
            f"--create-schema={SCHEMA}",
            "--no-drop",
            f"--query=INSERT INTO {SCHEMA}.rows_written (word) VALUES ('a row of the commit benchmark')",
        )
        seconds = re.search(r"Average number of seconds to run all queries: ([0-9.]+)", said)
        if not seconds:
            sys.exit(f"{self._slap} did not say how long it took: {said}")
        return commits / float(seconds[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commits", type=int, default=5000, help="a round")
    arguments = parser.parse_args()
    primary = Primary()
    primary.sql(f"CREATE DATABASE IF NOT EXISTS {SCHEMA}")
    table = "(id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(64))"
    primary.sql(f"CREATE TABLE IF NOT EXISTS {SCHEMA}.rows_written {table}")
    print(f"{primary.engine}, commits a second, median of {arguments.rounds}, in turn")
    print(f"{'clients':>8}{'async':>10}{'semi-sync':>11}{'ratio':>8}")
    try:
        for clients in (1, 8, 32):
            rates: dict[bool, list[float]] = {False: [], True: []}
            for _round in range(arguments.rounds):
                for waits, found in rates.items():
                    primary.let_replica_catch_up()
                    primary.wait_for_replica(waits=waits)
                    before = primary.unacknowledged()
                    found.append(primary.commits_per_second(clients, arguments.commits))
                    if waits and primary.unacknowledged() != before:
                        sys.exit("Some commits did not wait for a replica: the figures mean nothing.")
            alone, waiting = (statistics.median(rates[waits]) for waits in (False, True))
            print(f"{clients:>8}{alone:>10.0f}{waiting:>11.0f}{waiting / alone:>8.2f}")
    finally:
        primary.wait_for_replica(waits=True)
        primary.sql(f"DROP DATABASE {SCHEMA}")


if __name__ == "__main__":
    main()
