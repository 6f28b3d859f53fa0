# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the load has felt of the seeding, and what the replica is afterwards."""

from __future__ import annotations

import json

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import STATE, Scenario
from ansible_collections.webinfra.stack.tests.waiting import eventually

LONGEST_WRITE_SECONDS = 1.0
TOTALS = (
    "SELECT (SELECT COUNT(*) FROM guest_book.ballast), (SELECT COUNT(*) FROM guest_book.written),"
    " (SELECT SUM(number) FROM guest_book.counters)"
)


@pytest.fixture(scope="session")
def records():
    return json.loads((STATE / "records.json").read_text())


@pytest.fixture(scope="session")
def seeded():
    return json.loads((STATE / "seeded.json").read_text())


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


def test_the_load_was_one(records, seeded):
    during = [moment for moment, _seconds, _failure in records if seeded["begin"] <= moment <= seeded["end"]]
    assert len(during) / (seeded["end"] - seeded["begin"]) > 100


def test_no_write_was_refused(records):
    assert [failure for _moment, _seconds, failure in records if failure] == []


def test_no_write_waited_a_second(records, seeded):
    slow = {round(moment - seeded["begin"], 1): seconds for moment, seconds, _failure in records if seconds >= 0.5}
    assert max(seconds for _moment, seconds, _failure in records) < LONGEST_WRITE_SECONDS, slow


def test_the_replica_was_seeded_and_its_position_is_known(seeded):
    assert seeded["seeded"]["changed"]
    assert seeded["seeded"]["position"]
    assert seeded["seeded"]["kept_aside"] is None


def test_every_row_was_compared_and_none_differs(seeded):
    compared = seeded["compared"]
    assert compared["rows"] > 500_000
    assert (compared["differences"], compared["unsettled"]) == ([], [])


def test_the_replica_follows_to_the_last_row(scenario):
    wanted = scenario.sql("db1", TOTALS)
    eventually(lambda: scenario.sql("db2", TOTALS) == wanted, seconds=10)


def test_nothing_of_the_seeding_is_left(scenario):
    replica = scenario.host("db2")
    assert not replica.file(f"/etc/systemd/system/{scenario.unit('db2')}.service.d/webinfra-seeding.conf").exists
    assert replica.check_output("ls -A /var/lib/webinfra/seeding") == ""
    assert not replica.file("/var/lib/mysql/.webinfra").exists
    assert not replica.file("/var/lib/mysql.webinfra").exists


def test_events_of_the_primary_do_not_run_on_the_replica(scenario):
    events = "SELECT COUNT(*) FROM information_schema.EVENTS WHERE STATUS = 'ENABLED'"
    assert (scenario.sql("db1", events), scenario.sql("db2", events)) == ("1", "0")


def test_the_replica_takes_no_writes_and_does_not_after_a_restart(scenario):
    scenario.host("db2").check_output(f"systemctl restart {scenario.unit('db2')}")
    assert scenario.sql("db2", "SELECT @@global.read_only") == "1"
