# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that was acknowledged is lost, whatever happens: one drill after the other, on the same servers."""

from __future__ import annotations

import os

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import Scenario

SHORT = ("switchover", "server_killed", "server_restarted", "power_cut")
LONG = (
    *("reboot", "host_dead", "partition", "partition_then_death", "replica_killed", "target_killed"),
    *("target_disk_full", "verb_killed", "to_and_fro", "rolling_restart"),
)
CHOSEN = {"": SHORT, "all": SHORT + LONG}


def chosen():
    wanted = os.environ.get("DRILLS", "")
    return CHOSEN.get(wanted) or tuple(wanted.split(","))


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


def drill(scenario, fault, *options):
    return scenario.play("webinfra.stack.drill", "-e", f"drill_fault={fault}", *options)


@pytest.mark.parametrize("fault", chosen())
def test_nothing_is_lost_and_nobody_is_left_behind(scenario, fault):
    play = drill(scenario, fault)
    assert play.code == 0, play.output


@pytest.mark.skipif(os.environ.get("DRILLS") != "all", reason="takes long: DRILLS=all")
def test_a_failover_that_is_killed_is_finished_by_the_next_one(scenario):
    play = drill(scenario, "verb_killed", "-e", "drill_killed_verb=failover")
    assert play.code == 0, play.output


@pytest.mark.skipif(os.environ.get("DRILLS") != "all", reason="takes long: DRILLS=all")
def test_a_drill_finds_losses_where_commits_wait_for_nobody(scenario):
    options = ("-e", "drill_durability=async", "-e", "drill_loss_expected=true")
    play = drill(scenario, "partition_then_death", *options)
    assert play.code == 0, play.output
