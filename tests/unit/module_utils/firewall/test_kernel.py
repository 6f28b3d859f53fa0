# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.kernel import holds, runs
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import parse_rules

FIXTURES = Path(__file__).parent / "fixtures"
LISTINGS = {
    4: (FIXTURES / "iptables_1.8.11.txt").read_text(),
    6: (FIXTURES / "ip6tables_1.8.11.txt").read_text(),
}
FILES = {
    4: (FIXTURES / "ufw_0.36.2_user.rules").read_text(),
    6: (FIXTURES / "ufw_0.36.2_user6.rules").read_text(),
}
NEVER_STARTED = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"
STOPPED = "-P INPUT ACCEPT\n-N ufw-before-input\n-A INPUT -j ufw-before-input\n"


def holding(listing, family=4, incoming="deny", outgoing="allow"):
    rules = parse_rules(FILES[4]) + parse_rules(FILES[6])
    return holds(listing, family, rules_file=FILES[family], rules=rules, incoming=incoming, outgoing=outgoing)


@pytest.mark.parametrize("family", [4, 6])
def test_a_running_firewall_runs_and_holds_its_rules(family):
    assert runs(LISTINGS[family], family)
    assert holding(LISTINGS[family], family)


@pytest.mark.parametrize("listing", [NEVER_STARTED, STOPPED], ids=["never started", "stopped"])
def test_chains_that_no_packet_passes_do_not_run(listing):
    assert not runs(listing, 4)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("-A ufw-user-input -s 10.20.0.21/32 -p tcp -m tcp --dport 3306 -j ACCEPT\n", ""),
        ("-A ufw-user-input -s 10.20.0.21/32 -p", "-A ufw-user-input -s 10.20.0.22/32 -p"),
        ("-A ufw-user-input -s 10.9.0.0/16 -j DROP\n", ""),
        ("-A ufw-user-input -s 10.9.0.0/16 -j DROP\n", "-A ufw-user-input -s 10.9.0.0/16 -j DROP\n" * 2),
        ("-P INPUT DROP", "-P INPUT ACCEPT"),
    ],
    ids=["ours is missing", "ours is another", "a foreign one is missing", "one too many", "another policy"],
)
def test_a_kernel_that_was_changed_behind_ufw_does_not_hold(before, after):
    assert before in LISTINGS[4]
    assert not holding(LISTINGS[4].replace(before, after))


def test_the_kernel_follows_the_policy_of_the_files():
    assert not holding(LISTINGS[4], incoming="allow")
    assert not holding(LISTINGS[4], outgoing="deny")
    assert holding(LISTINGS[4].replace("-P OUTPUT ACCEPT", "-P OUTPUT DROP"), outgoing="deny")


VRRP = (
    "### tuple ### allow vrrp any 0.0.0.0/0 any 10.20.0.3 in comment={}\n"
    "-A ufw-user-input -p vrrp -s 10.20.0.3 -j ACCEPT\n"
)


@pytest.mark.parametrize(("name", "held"), [("vrrp", True), ("112", True), ("113", False)])
def test_a_protocol_without_ports_is_known_by_its_name_and_by_its_number(name, held):
    file = VRRP.format(b"webinfra: vrrp (lb2)".hex())
    listing = f"-P INPUT DROP\n-P OUTPUT ACCEPT\n-A ufw-user-input -s 10.20.0.3/32 -p {name} -j ACCEPT\n"
    assert holds(listing, 4, rules_file=file, rules=parse_rules(file), incoming="deny", outgoing="allow") is held


def test_a_rule_for_where_a_host_may_go_is_looked_for_among_the_outgoing_ones():
    file = (
        f"### tuple ### allow tcp 3306 10.20.0.31 any 0.0.0.0/0 out comment={b'webinfra: sql (db1)'.hex()}\n"
        "-A ufw-user-output -p tcp -d 10.20.0.31 --dport 3306 -j ACCEPT\n"
    )
    policies = "-P INPUT DROP\n-P OUTPUT DROP\n"
    line = "-A ufw-user-{} -d 10.20.0.31/32 -p tcp -m tcp --dport 3306 -j ACCEPT\n"
    found = [
        holds(
            policies + line.format(way), 4, rules_file=file, rules=parse_rules(file), incoming="deny", outgoing="deny"
        )
        for way in ("output", "input")
    ]
    assert found == [True, False]
