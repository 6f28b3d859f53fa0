# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address moves when the service does not answer, and stays otherwise. Each fault is made under load."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import subprocess
import time

import pytest
import yaml

from ansible_collections.webinfra.stack.molecule.shared.scenario import INVENTORIES, NAME, Scenario
from ansible_collections.webinfra.stack.molecule.shared.steady_load import IMPATIENT, PATIENT, SteadyLoad
from ansible_collections.webinfra.stack.tests import waiting

ADDRESS = yaml.safe_load(INVENTORIES[0].read_text())["all"]["vars"]["webinfra_virtual_ip"]
BALANCERS = ("lb1", "lb2")
PROVIDER = os.environ.get("PROVIDER") or "haproxy"
QUIET_FOR = 3.0
"""Longer than the recovery and all timers of keepalived together: who wanted to move would have moved."""

eventually = functools.partial(waiting.eventually, seconds=60)
log = logging.getLogger(__name__)


def docker(*words):
    subprocess.run(["docker", *words], check=True, capture_output=True)


def heard(scenario, name, command):
    """Return what a host says, and nothing while it does not let anybody in."""
    with contextlib.suppress(RuntimeError):
        return scenario.host(name).run(command).stdout
    return ""


def has_address(scenario, name):
    return f" {ADDRESS}/32 " in heard(scenario, name, "ip -oneline -4 address")


def holders(scenario):
    return [name for name in BALANCERS if has_address(scenario, name)]


def fit(scenario, name):
    return heard(scenario, name, "cat /run/virtual-ip/dead") == "0\n"


def settled(scenario):
    return len(holders(scenario)) == 1 and all(fit(scenario, name) for name in BALANCERS)


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


@pytest.fixture
def pair(scenario):
    """Who has the address, and who stands by."""
    eventually(lambda: settled(scenario))
    (active,) = holders(scenario)
    (passive,) = set(BALANCERS) - {active}
    return active, passive


def moves(scenario):
    """Count how often each balancer took the address since it runs."""
    said = "journalctl --boot --unit virtual-ip --output cat"
    return {name: scenario.host(name).check_output(said).count("Entering MASTER STATE") for name in BALANCERS}


def watched(fault, mend=None, *, until, patience=IMPATIENT):
    """Ask all the time while something is broken, and for a while after it was mended."""
    with SteadyLoad(ADDRESS, patience=patience) as load:
        time.sleep(1)
        fault()
        eventually(until)
        if mend:
            mend()
        time.sleep(QUIET_FOR)
    log.info("%s", load.outcome)
    return load.outcome


def test_exactly_one_has_the_address_and_both_answer(scenario, pair):
    assert set(pair) == set(BALANCERS)
    for name in BALANCERS:
        assert SteadyLoad(scenario.address(name)).failure() == ""
    assert SteadyLoad(ADDRESS).failure() == ""


def test_vrrp_is_let_in_from_the_other_balancer_alone(scenario):
    for name, other in (BALANCERS, BALANCERS[::-1]):
        listing = scenario.host(name).check_output("iptables -S ufw-user-input").replace("-p 112", "-p vrrp")
        rules = [line for line in listing.splitlines() if "-p vrrp" in line]
        assert rules == [f"-A ufw-user-input -s {scenario.address(other)}/32 -p vrrp -j ACCEPT"]


def test_a_killed_proxy_moves_the_address_and_it_stays_there(scenario, pair):
    active, passive = pair
    kill = f"systemctl kill --signal=SIGKILL {PROVIDER} && systemctl stop {PROVIDER}"
    outcome = watched(
        lambda: scenario.host(active).check_output(kill),
        lambda: scenario.host(active).check_output(f"systemctl start {PROVIDER}"),
        until=lambda: holders(scenario) == [passive],
    )
    assert outcome.longest_gap <= 0.5
    eventually(lambda: settled(scenario))
    assert holders(scenario) == [passive]


def test_a_hanging_proxy_moves_the_address_and_it_stays_there(scenario, pair):
    active, passive = pair
    outcome = watched(
        lambda: scenario.host(active).check_output(f"systemctl kill --signal=SIGSTOP {PROVIDER}"),
        lambda: scenario.host(active).check_output(f"systemctl kill --signal=SIGCONT {PROVIDER}"),
        until=lambda: holders(scenario) == [passive],
    )
    assert outcome.longest_gap <= 0.6
    eventually(lambda: settled(scenario))
    assert holders(scenario) == [passive]


def test_a_killed_host_loses_the_address_and_does_not_get_it_back(scenario, pair):
    active, passive = pair
    outcome = watched(
        lambda: docker("kill", f"{NAME}-{active}"),
        until=lambda: has_address(scenario, passive),
    )
    assert outcome.longest_gap <= 0.6
    outcome = watched(
        lambda: docker("start", f"{NAME}-{active}"),
        until=lambda: settled(scenario),
    )
    assert holders(scenario) == [passive]
    assert outcome.longest_gap <= 0.5


def test_a_frozen_host_loses_the_address_and_when_it_thaws_there_is_one_owner(scenario, pair):
    """It wakes up as the owner that it was; the two settle by priority, so the address may move once more."""
    active, passive = pair
    outcome = watched(
        lambda: docker("pause", f"{NAME}-{active}"),
        lambda: docker("unpause", f"{NAME}-{active}"),
        until=lambda: has_address(scenario, passive),
    )
    assert outcome.longest_gap <= 0.6
    eventually(lambda: settled(scenario))


def test_reloads_do_not_move_the_address(scenario, pair):
    active, _passive = pair
    before = moves(scenario)
    with SteadyLoad(ADDRESS, patience=PATIENT) as load:
        for _ in range(20):
            scenario.host(active).check_output(f"systemctl reload {PROVIDER}")
    log.info("%s", load.outcome)
    assert (moves(scenario), holders(scenario)) == (before, [active])
    assert not load.outcome.failures


def test_a_killed_watcher_moves_nothing(scenario, pair):
    active, _passive = pair
    before = moves(scenario)
    outcome = watched(
        lambda: scenario.host(active).check_output("systemctl kill --signal=SIGKILL virtual-ip-check"),
        until=lambda: scenario.host(active).run("systemctl is-active virtual-ip-check").rc == 0,
        patience=PATIENT,
    )
    assert (moves(scenario), holders(scenario), outcome.failures) == (before, [active], {})


def test_a_hanging_watcher_is_replaced(scenario, pair):
    active, _passive = pair
    main = "systemctl show --property=MainPID --value virtual-ip-check"
    before = scenario.host(active).check_output(main)
    scenario.host(active).check_output("systemctl kill --signal=SIGSTOP virtual-ip-check")
    eventually(lambda: scenario.host(active).check_output(main) not in {before, "0"})
    eventually(lambda: settled(scenario))
    assert holders(scenario) == [active]


def test_a_killed_keepalived_leaves_no_second_owner_behind(scenario, pair):
    active, _passive = pair
    outcome = watched(
        lambda: scenario.host(active).check_output("systemctl kill --signal=SIGKILL virtual-ip"),
        until=lambda: settled(scenario),
    )
    assert outcome.longest_gap <= 1
    assert len(holders(scenario)) == 1


def test_without_any_service_nobody_has_the_address_and_it_comes_back_by_itself(scenario, pair):
    for name in pair:
        scenario.host(name).check_output(f"systemctl stop {PROVIDER}")
    eventually(lambda: holders(scenario) == [])
    for name in pair:
        scenario.host(name).check_output(f"systemctl start {PROVIDER}")
    eventually(lambda: settled(scenario))


def test_a_run_of_the_site_leaves_the_address_where_it_is(scenario, pair):
    active, _passive = pair
    play = scenario.site()
    assert play.code == 0, play.output
    assert not any(play.changed.values()), play.output
    assert f"has {ADDRESS}" in play.output
    assert holders(scenario) == [active]


@contextlib.contextmanager
def deaf(scenario, name, other):
    """Let a host not hear another one, as if a firewall between them dropped it."""
    rule = f"INPUT -s {scenario.address(other)} -p 112 -j DROP"
    scenario.host(name).check_output(f"iptables -I {rule}")
    try:
        yield
    finally:
        scenario.host(name).check_output(f"iptables -D {rule}")


def test_two_owners_are_red(scenario, pair):
    active, passive = pair
    with deaf(scenario, active, passive), deaf(scenario, passive, active):
        eventually(lambda: len(holders(scenario)) == 2)
        play = scenario.verify()
    assert play.code != 0
    assert f"{ADDRESS} is on lb1 and lb2" in " ".join(play.output.split())
    eventually(lambda: settled(scenario))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("10.213.99.10", "is in none of its networks"),
        ("10.213.86.21", "is the address of web1"),
        ("10.213.86.255", "is in none of its networks"),
        ("balancer", "is not an IP address"),
    ],
    ids=["another network", "a host's own", "broadcast", "a name"],
)
def test_an_address_that_cannot_be_shared_stops_before_anything_is_changed(scenario, pair, value, words):
    play = scenario.site("-e", f"webinfra_virtual_ip={value}")
    assert play.code != 0
    assert words in " ".join(play.output.split())
    assert not any(play.changed.values()), play.output


def test_one_balancer_alone_cannot_share(scenario, tmp_path):
    play = scenario.site(inventories=scenario.inventories_without("lb2", tmp_path))
    assert play.code != 0
    assert "nobody who could take the address over" in " ".join(play.output.split())


def test_an_address_that_is_not_declared_any_more_is_gone(scenario, pair):
    off = ("-e", "webinfra_virtual_ip=")
    play = scenario.site(*off)
    assert play.code == 0, play.output
    assert holders(scenario) == []
    again = scenario.site(*off)
    assert (again.code, sum(again.changed.values())) == (0, 0), again.output
    back = scenario.site()
    assert back.code == 0, back.output
    eventually(lambda: settled(scenario))
