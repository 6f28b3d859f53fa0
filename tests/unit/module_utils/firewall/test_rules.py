# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import (
    DeclaredRule,
    DeclaredRuleError,
    UnreadableRuleError,
    describe,
    parse_rules,
)

FIXTURES = Path(__file__).parent / "fixtures"
RULES = parse_rules((FIXTURES / "ufw_0.36.2_user.rules").read_text())
RULES6 = parse_rules((FIXTURES / "ufw_0.36.2_user6.rules").read_text())


def declared(source="any", port=22, protocol="tcp", comment="ssh (controller)"):
    return DeclaredRule.from_options(source, port, protocol, comment)


def test_the_rules_of_a_real_server_read_like_a_list():
    assert describe(RULES + RULES6) == [
        "deny 22/tcp from 10.20.9.9",
        "allow 22/tcp from any  # webinfra: ssh (controller)",
        "allow 8000 from any",
        "allow 3306/tcp from 10.20.0.21  # webinfra: sql (web1)",
        "deny any from 10.9.0.0/16",
        "limit 2222/tcp from any",
        "allow 80,443/tcp from any",
        "allow in on eth0 53 from any",
        "allow log 25/tcp from any",
        "allow out 53/udp from any  # the resolver\u2019s",
        "route allow in on eth0 out on eth1 80/tcp to 10.20.0.5 from any (IPv4)",
        "allow OpenSSH from any",
        "allow 5000:5010/tcp from 10.20.0.1",
        "allow 3306/tcp to 10.20.0.31 from 10.20.0.11 port 44",
        "allow vrrp from 10.20.0.3",
        "allow 3306/tcp from fd00::21  # webinfra: sql (web1)",
    ]


def test_only_rules_with_the_marker_are_ours():
    assert [rule.port for rule in RULES + RULES6 if rule.ours] == ["22", "3306", "22", "3306"]


def test_a_declared_rule_is_what_ufw_writes_for_it():
    assert declared().rules(ipv6=True) == (RULES[1], RULES6[0])
    assert declared("10.20.0.21", 3306, comment="sql (web1)").rules(ipv6=True) == (RULES[3],)
    assert declared("fd00::21", 3306, comment="sql (web1)").rules(ipv6=True) == (RULES6[2],)


def test_a_declared_protocol_without_ports_is_what_ufw_writes_for_it():
    (rule,) = declared("10.20.0.3", None, "vrrp", comment="vrrp (lb2)").rules(ipv6=True)
    assert rule == replace(RULES[14], comment="webinfra: vrrp (lb2)")


def test_a_declared_protocol_without_ports_is_named_to_ufw_without_one():
    assert declared("10.20.0.3", None, "vrrp", comment="vrrp (lb2)").words() == (
        *("allow", "proto", "vrrp", "from", "10.20.0.3", "to", "any"),
        *("comment", "webinfra: vrrp (lb2)"),
    )


def test_without_ipv6_anybody_is_anybody_over_ipv4():
    assert declared().rules(ipv6=False) == (RULES[1],)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (0, "deny proto tcp from 10.20.9.9/32 to 0.0.0.0/0 port 22"),
        (2, "allow from 0.0.0.0/0 to 0.0.0.0/0 port 8000"),
        (8, "allow log proto tcp from 0.0.0.0/0 to 0.0.0.0/0 port 25"),
        (9, "allow out proto udp from 0.0.0.0/0 to 0.0.0.0/0 port 53"),
        (10, "allow in on eth0 out on eth1 proto tcp from 0.0.0.0/0 to 10.20.0.5/32 port 80"),
        (11, "allow from 0.0.0.0/0 to 0.0.0.0/0 app OpenSSH"),
        (13, "allow proto tcp from 10.20.0.11/32 port 44 to 10.20.0.31/32 port 3306"),
    ],
)
def test_a_rule_is_named_to_ufw_so_that_only_its_family_is_meant(index, words):
    assert " ".join(RULES[index].words()) == words


def test_a_declared_rule_for_anybody_is_one_command_for_both_families():
    assert declared().words() == (
        *("allow", "proto", "tcp", "from", "any", "to", "any", "port", "22"),
        *("comment", "webinfra: ssh (controller)"),
    )


def test_a_network_with_host_bits_is_written_as_ufw_keeps_it():
    assert str(declared("10.20.0.5/24").peer) == "10.20.0.0/24"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"source": "web1"}, "'web1' of 'ssh (controller)' is neither an IP address nor a network"),
        ({"port": 0}, "port 0 of 'ssh (controller)' is not a port"),
        ({"port": 65536}, "port 65536 of 'ssh (controller)' is not a port"),
        ({"port": None}, "there is no port, in 'ssh (controller)'"),
        ({"protocol": "vrrp"}, "vrrp has no ports, in 'ssh (controller)'"),
        ({"comment": "it's"}, "has an apostrophe"),
        ({"comment": "a\nb"}, "control character"),
    ],
    ids=["a name", "port 0", "port 65536", "no port", "a port of vrrp", "apostrophe", "line break"],
)
def test_what_ufw_cannot_have_is_refused_before_it_is_asked(options, words):
    with pytest.raises(DeclaredRuleError, match=words.replace("(", r"\(").replace(")", r"\)")):
        declared(**options)


def test_an_ipv6_source_on_a_host_without_ipv6_is_refused():
    with pytest.raises(DeclaredRuleError, match="IPV6=yes"):
        declared("fd00::21").rules(ipv6=False)


@pytest.mark.parametrize(
    "line",
    [
        "### tuple ### allow tcp 22 0.0.0.0/0 any in",
        "### tuple ### allow tcp 22 0.0.0.0/0 any nowhere in",
        "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=zz",
        "### tuple ###",
    ],
    ids=["a field is missing", "not an address", "comment not in hex", "empty"],
)
def test_a_rule_that_ufw_did_not_write_is_refused(line):
    with pytest.raises(UnreadableRuleError, match="edited by hand"):
        parse_rules(line)


def test_a_rule_for_where_a_host_may_go_is_one_of_ufw_s_outgoing_ones():
    there = DeclaredRule.from_options("10.20.0.31", 3306, "tcp", "sql (db1)", "out")
    assert " ".join(there.words()).startswith("allow out proto tcp from any to 10.20.0.31 port 3306 comment ")
    (kept,) = parse_rules(
        f"### tuple ### allow tcp 3306 10.20.0.31 any 0.0.0.0/0 out comment={b'webinfra: sql (db1)'.hex()}"
    )
    assert there.rules(ipv6=True) == (kept,)
    assert describe([kept]) == ["allow out 3306/tcp to 10.20.0.31 from any (IPv4)  # webinfra: sql (db1)"]


def test_a_rule_for_everywhere_is_one_of_each_family():
    names = DeclaredRule.from_options("any", 53, "udp", "names (outside)", "out")
    assert [str(rule.destination) for rule in names.rules(ipv6=True)] == ["0.0.0.0/0", "::/0"]
    assert {rule.direction for rule in names.rules(ipv6=True)} == {"out"}
