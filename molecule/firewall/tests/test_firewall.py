# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would shut us out does not last; what others wrote is told, and goes when asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import Scenario
from ansible_collections.webinfra.stack.tests import waiting

CONVERGE = str(Path(__file__).parents[1] / "converge.yml")
HOSTS = ("host1", "host2")
DROP = "-A ufw-before-input -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP"
BEFORE = "/etc/ufw/before.rules"


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


def told(play):
    return " ".join(play.output.split())


def converge(scenario, *options, rules=None):
    given = ("-e", json.dumps({"scenario_rules": rules})) if rules is not None else ()
    return scenario.play(CONVERGE, *given, *options)


def other(name):
    return next(host for host in HOSTS if host != name)


def lets_in(scenario, name):
    """Tell whether somebody who was not there before gets in."""
    return scenario.can_reach(other(name), name, 22)


def status(scenario, name):
    return scenario.host(name).check_output("ufw status")


@pytest.fixture
def trap(scenario):
    """Let a rule that UFW's list of rules does not show deny SSH, as soon as the firewall is switched on."""
    for name in HOSTS:
        scenario.host(name).check_output("ufw disable")
        scenario.host(name).check_output(f"cp -a {BEFORE} /root/before.rules")
        # Before the line that lets in what belongs to an open connection, or behind it: new ones are meant.
        scenario.host(name).check_output(f"sed -i '0,/^# allow all on loopback/s//{DROP}\\n&/' {BEFORE}")
    yield
    for name in HOSTS:
        scenario.host(name).check_output(f"mv /root/before.rules {BEFORE}")
    mended = converge(scenario)
    assert mended.code == 0, mended.output


def test_a_change_is_confirmed_and_leaves_no_way_back_behind(scenario):
    for name in HOSTS:
        assert "22/tcp" in status(scenario, name)
        assert scenario.host(name).run("test -e /var/lib/webinfra/firewall/former").rc != 0
        assert "webinfra" not in scenario.host(name).check_output("systemctl list-timers --all")


def test_what_shuts_out_new_connections_is_rolled_back_and_the_run_is_red(scenario, trap):
    play = converge(scenario)
    assert play.code != 0
    failures = [line for line in play.output.splitlines() if line.startswith("fatal: ")]
    assert len(failures) == len(HOSTS), play.output
    assert all("its former rules are back" in failure for failure in failures), play.output
    assert "look for rules of others that deny it" in told(play)
    for name in HOSTS:
        assert lets_in(scenario, name)
        assert "inactive" in status(scenario, name)
        assert "DROP" not in scenario.host(name).check_output("iptables -S | grep -e '--dport 22' || true")


def test_a_rule_that_was_not_there_is_gone_after_a_rollback(scenario, trap):
    more = [
        {"from": "any", "port": 22, "comment": "ssh (controller)"},
        {"from": "any", "port": 8080, "comment": "more"},
    ]
    assert converge(scenario, rules=more).code != 0
    for name in HOSTS:
        assert "8080" not in scenario.host(name).check_output("cat /etc/ufw/user.rules /etc/ufw/user6.rules")


def test_without_a_way_back_the_trap_works(scenario, trap):
    """The trap of these tests is one: nobody else would get out of it."""
    name = HOSTS[0]
    # What is set up here opens it again in time.
    scenario.host(name).check_output("systemd-run --on-active=25 --unit=trap-end ufw disable")
    play = converge(scenario, "--limit", name, "-e", "firewall_confirm_within=0")
    assert play.code == 0, play.output
    assert not lets_in(scenario, name)
    waiting.eventually(lambda: lets_in(scenario, name), seconds=60)


def test_a_matrix_that_forgets_who_is_in_is_refused_before_anything_is_changed(scenario):
    before = {name: scenario.host(name).check_output("iptables -S") for name in HOSTS}
    play = converge(scenario, rules=[{"from": "192.0.2.7", "port": 22, "comment": "ssh (somebody else)"}])
    assert play.code != 0
    assert "the rules would not let them in again; nothing was changed" in told(play)
    assert {name: scenario.host(name).check_output("iptables -S") for name in HOSTS} == before


def test_what_others_wrote_is_told_and_goes_when_asked(scenario):
    scenario.host("host1").check_output("ufw allow 2222/tcp")
    play = converge(scenario)
    assert (play.code, sum(play.changed.values())) == (0, 0), play.output
    assert "host1 has rules that nobody declared, and they are in force: allow 2222/tcp from any" in told(play)
    removed = converge(scenario, "-e", "firewall_foreign_rules=remove")
    assert (removed.code, removed.changed["host1"]) == (0, 1), removed.output
    assert "2222" not in status(scenario, "host1")
