# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.plan import (
    WANTED_POLICIES,
    FirewallState,
    Policies,
    cut_sessions,
    plan_firewall,
    refusal,
)
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import (
    DeclaredRule,
    DeclaredRuleError,
    Packet,
    describe,
    parse_rules,
)
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.sessions import Session

SSH = DeclaredRule.from_options("any", 22, "tcp", "ssh (controller)")
SQL = DeclaredRule.from_options("10.20.0.21", 3306, "tcp", "sql (web1)")


def rules(*lines):
    return parse_rules("\n".join(f"### tuple ### {line}" for line in lines))


def state(*present, **changes):
    running = FirewallState(
        enabled=True, running=True, loaded=True, ipv6=True, policies=WANTED_POLICIES, rules=tuple(present)
    )
    return replace(running, **changes)


OFF = state(enabled=False, running=False, loaded=False)
BOTH = (*SSH.rules(ipv6=True), *SQL.rules(ipv6=True))
DENY_SSH, ALLOW_WEB, LIMIT_SSH = rules(
    "deny tcp 22 0.0.0.0/0 any 10.9.0.0/16 in",
    "allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in",
    "limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in",
)


def plan(before, *declared, enabled=True, remove_foreign=False):
    return plan_firewall(before, declared, enabled=enabled, remove_foreign=remove_foreign)


def commands(*arguments, **options):
    return [" ".join(words) for words in plan(*arguments, **options).commands]


def session(peer="10.20.0.5", port=22, address="10.20.0.11"):
    return Session(peer=ip_address(peer), peer_port=40000, address=ip_address(address), port=port)


def test_a_firewall_that_is_as_declared_needs_nothing():
    assert commands(state(*BOTH), SSH, SQL) == []


def test_ufws_own_order_is_not_a_difference():
    assert commands(state(*reversed(BOTH)), SSH, SQL) == []


def test_rules_are_there_before_the_firewall_is_switched_on():
    assert commands(OFF, SSH, SQL) == [
        "allow proto tcp from any to any port 22 comment webinfra: ssh (controller)",
        "allow proto tcp from 10.20.0.21 to any port 3306 comment webinfra: sql (web1)",
        "--force enable",
    ]


def test_new_rules_come_before_old_ones_go():
    assert commands(state(*SQL.rules(ipv6=True)), SSH) == [
        "allow proto tcp from any to any port 22 comment webinfra: ssh (controller)",
        "--force delete allow proto tcp from 10.20.0.21/32 to 0.0.0.0/0 port 3306",
    ]


def test_the_policy_changes_after_the_rules_are_there():
    open_policies = Policies(incoming="allow", outgoing="allow", routed="allow")
    assert commands(state(policies=open_policies), SSH) == [
        "allow proto tcp from any to any port 22 comment webinfra: ssh (controller)",
        "default deny incoming",
        "default deny routed",
    ]


def test_half_a_rule_is_completed():
    assert commands(state(SSH.rules(ipv6=True)[0]), SSH) == [
        "allow proto tcp from any to any port 22 comment webinfra: ssh (controller)"
    ]


def test_another_comment_is_a_change():
    renamed = DeclaredRule.from_options("any", 22, "tcp", "ssh (anybody)")
    assert describe(plan(state(*SSH.rules(ipv6=True)), renamed).added) == [
        "allow 22/tcp from any  # webinfra: ssh (anybody)"
    ]


def test_foreign_rules_stay_and_are_told():
    result = plan(state(*BOTH, DENY_SSH), SSH, SQL)
    assert result.commands == ()
    assert result.after.foreign == (DENY_SSH,)


def test_foreign_rules_go_when_told_to_and_the_denying_ones_go_first():
    assert commands(state(ALLOW_WEB, DENY_SSH, *BOTH), SSH, SQL, remove_foreign=True) == [
        "--force delete deny proto tcp from 10.9.0.0/16 to 0.0.0.0/0 port 22",
        "--force delete allow proto tcp from 0.0.0.0/0 to 0.0.0.0/0 port 80",
    ]


def test_a_foreign_rule_about_the_same_is_replaced_as_ufw_does():
    result = plan(state(LIMIT_SSH), SSH)
    assert result.after.rules == SSH.rules(ipv6=True)
    assert result.removed == ()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (state(*BOTH, loaded=False), ["reload"]),
        (state(*BOTH, running=False, loaded=False), ["disable", "--force enable"]),
        (state(*BOTH, enabled=False, running=False, loaded=False), ["--force enable"]),
        (state(*BOTH, enabled=False), ["--force enable", "reload"]),
    ],
    ids=["other rules", "no chains", "off", "off, and chains that run"],
)
def test_a_kernel_that_does_not_filter_by_the_files_is_put_right(before, expected):
    assert commands(before, SSH, SQL) == expected


def test_nothing_is_added_to_chains_that_are_not_there():
    assert commands(state(running=False, loaded=False), SSH) == [
        "disable",
        "allow proto tcp from any to any port 22 comment webinfra: ssh (controller)",
        "--force enable",
    ]


def test_a_firewall_that_shall_be_off_is_switched_off_first():
    assert commands(state(), SSH, enabled=False)[0] == "disable"
    assert commands(state(*BOTH, enabled=False, running=False), SSH, SQL, enabled=False) == []


def test_a_rule_that_is_declared_twice_is_refused():
    again = DeclaredRule.from_options("any", 22, "tcp", "backup (nas)")
    with pytest.raises(DeclaredRuleError, match="22/tcp from any is there twice"):
        plan(OFF, SSH, again)


@pytest.mark.parametrize(
    ("present", "cut"),
    [
        (SSH.rules(ipv6=True), False),
        ((), True),
        (SQL.rules(ipv6=True), True),
        (rules("allow tcp 22 0.0.0.0/0 any 10.20.0.0/24 in"), False),
        (rules("allow any 22 0.0.0.0/0 any 10.20.0.5 in"), False),
        (rules("allow udp 22 0.0.0.0/0 any 10.20.0.5 in"), True),
        (rules("limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"), False),
        (rules("allow tcp 20:30,80 0.0.0.0/0 any 0.0.0.0/0 in"), False),
        (rules("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in"), False),
        (rules("allow any any 0.0.0.0/0 any 0.0.0.0/0 in_eth0"), False),
        (rules("allow any any 0.0.0.0/0 any 0.0.0.0/0 in_eth1"), True),
        (rules("allow tcp 22 10.20.0.12 any 0.0.0.0/0 in"), True),
        (rules("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 out"), True),
        (rules("route:allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"), True),
        (rules("allow tcp 22 ::/0 any ::/0 in"), True),
        (rules("deny tcp 22 0.0.0.0/0 any 10.20.0.0/24 in", "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"), True),
        (rules("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", "deny tcp 22 0.0.0.0/0 any 10.20.0.0/24 in"), False),
    ],
    ids=[
        "anybody",
        "nothing",
        "another port",
        "its network",
        "any protocol",
        "another protocol",
        "limited",
        "in a range",
        "by application",
        "its interface",
        "another interface",
        "another address of ours",
        "outgoing",
        "routed",
        "the other family",
        "denied first",
        "allowed first",
    ],
)
def test_a_session_is_cut_when_the_first_rule_about_it_does_not_admit_it(present, cut):
    found = cut_sessions(state(*present), [session()], {"10.20.0.11": "eth0"})
    assert bool(found) is cut


def test_no_session_is_cut_by_a_firewall_that_is_off():
    assert cut_sessions(OFF, [session()], {}) == []


def test_the_refusal_says_who_is_cut_and_what_to_do():
    text = refusal([session(), replace(session(), peer_port=40001), session("fd00::5", 2222, "fd00::11")])
    assert text == (
        "These SSH sessions are open, and the rules would not let them in again; nothing was changed:\n"
        "  10.20.0.5 to port 22\n"
        "  fd00::5 to port 2222\n"
        "Add a rule for their addresses (for Ansible's own: the addresses of the controller), or end those that\n"
        "are not needed, and run again."
    )


def test_the_state_reads_like_a_list():
    assert state(*BOTH, loaded=False).lines == [
        "firewall on, but the kernel has other rules",
        "default deny incoming, allow outgoing, deny routed",
        "allow 22/tcp from any  # webinfra: ssh (controller)",
        "allow 3306/tcp from 10.20.0.21  # webinfra: sql (web1)",
    ]


DECLARED = (SSH, SQL, DeclaredRule.from_options("10.20.0.0/24", 22, "tcp", "ssh (office)"))
PRESENT = (*BOTH, DENY_SSH, ALLOW_WEB, *DECLARED[2].rules(ipv6=True))


@given(
    present=st.lists(st.sampled_from(PRESENT), unique=True),
    declared=st.sets(st.sampled_from(DECLARED)),
    enabled=st.booleans(),
    running=st.booleans(),
    loaded=st.booleans(),
    remove_foreign=st.booleans(),
)
def test_what_is_admitted_before_and_after_is_admitted_on_every_step(
    *, present, declared, enabled, running, loaded, remove_foreign
):
    """Follow the commands as UFW does, and try the SSH port of somebody in the office after each."""
    before = state(*present, enabled=enabled, running=running, loaded=running and loaded)
    result = plan(before, *declared, remove_foreign=remove_foreign)
    packet = Packet(
        source=ip_address("10.20.0.5"), source_port=1, destination=ip_address("10.20.0.11"), port=22, interface="eth0"
    )
    now, steps = list(present), []
    effective = enabled and running
    by_words = {item.words(): item.rules(ipv6=True) for item in DECLARED}
    for words in result.commands:
        if words in by_words:
            new = {rule.match: rule for rule in by_words[words]}
            now = [new.pop(rule.match, rule) for rule in now] + list(new.values())
        elif "delete" in words:
            now = [rule for rule in now if ("--force", "delete", *rule.words()) != words]
        elif words[-1] == "disable":
            effective = False
        elif words[-1] == "enable":
            effective = True
        steps.append(not effective or state(*now).admits(packet))
    assert set(now) == set(result.after.rules)
    if (not (enabled and running) or before.admits(packet)) and result.after.admits(packet):
        assert all(steps)


@given(present=st.lists(st.sampled_from(PRESENT), unique=True), declared=st.sets(st.sampled_from(DECLARED)))
def test_a_second_run_changes_nothing(present, declared):
    first = plan(state(*present), *declared)
    assert plan(first.after, *declared).commands == ()
