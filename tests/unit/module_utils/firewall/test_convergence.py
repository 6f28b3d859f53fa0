# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.convergence import converge
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import UfwError
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.plan import WANTED_POLICIES, FirewallState
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import DeclaredRule, parse_rules
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.sessions import Session

SSH = {"from": "any", "port": 22, "protocol": "tcp", "comment": "ssh (controller)"}
SQL = {"from": "10.20.0.21", "port": 3306, "protocol": "tcp", "comment": "sql (web1)"}
FOREIGN = parse_rules("### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in")
VIRGIN = FirewallState(enabled=False, running=False, loaded=False, ipv6=True, policies=WANTED_POLICIES, rules=())


class FakeFirewall:
    """Does what UFW does with the commands that these tests lead to."""

    def __init__(self, state=VIRGIN, peers=(), *, installed=True, obeys=True):
        self.armed: list[int] = []
        self.doubtful = False
        self.current, self.peers, self.is_installed, self.obeys, self.commands = state, peers, installed, obeys, []

    def installed(self):
        return self.is_installed

    def unconfirmed(self):
        return self.doubtful

    def arm(self, seconds):
        self.armed.append(seconds)
        self.commands_before = len(self.commands)

    def state(self):
        return self.current

    def sessions(self):
        here = ip_address("10.20.0.31")
        return tuple(Session(peer=ip_address(peer), peer_port=40000, address=here, port=22) for peer in self.peers)

    def interfaces(self):
        return {"10.20.0.31": "eth0"}

    def execute(self, words):
        self.commands.append(words)
        if not self.obeys:
            return
        rules = self.current.rules
        if words[0] == "allow":
            rules += DeclaredRule.from_options(
                words[4], int(words[8]), words[2], words[10].removeprefix("webinfra: ")
            ).rules(ipv6=True)
        elif "delete" in words:
            rules = tuple(rule for rule in rules if rule.words() != words[2:])
        elif words[-1] == "enable":
            self.current = replace(self.current, enabled=True, running=True, loaded=True)
        self.current = replace(self.current, rules=rules)


def run(firewall, *rules, check_mode=False, **options):
    return converge(
        firewall,
        {
            "rules": list(rules),
            "enabled": True,
            "foreign_rules": "report",
            "confirm_within": 30,
            "outgoing": "allow",
            **options,
        },
        check_mode=check_mode,
    )


def test_the_first_run_changes_and_the_second_does_not():
    firewall = FakeFirewall(peers=["10.20.0.5"])
    first = run(firewall, SSH, SQL)
    assert first["changed"] is True
    assert first["rules_added"] == [
        "allow 22/tcp from any  # webinfra: ssh (controller)",
        "allow 3306/tcp from 10.20.0.21  # webinfra: sql (web1)",
    ]
    second = run(firewall, SSH, SQL)
    assert second["changed"] is False
    assert second["commands"] == second["rules_added"] == second["rules_removed"] == []
    assert second["diff"]["before"] == second["diff"]["after"] == first["diff"]["after"]


def test_check_mode_predicts_the_first_run_and_does_nothing():
    firewall = FakeFirewall()
    predicted = run(firewall, SSH, SQL, check_mode=True)
    assert firewall.commands == []
    assert predicted == run(firewall, SSH, SQL)


def test_check_mode_predicts_on_a_host_without_ufw():
    predicted = run(FakeFirewall(installed=False), SSH, check_mode=True)
    assert predicted["changed"] is True
    assert predicted["diff"]["before"] == "firewall off\ndefault deny incoming, allow outgoing, deny routed\n"
    assert predicted["diff"]["after"] == (
        "firewall on\ndefault deny incoming, allow outgoing, deny routed\n"
        "allow 22/tcp from any  # webinfra: ssh (controller)\n"
    )


def test_a_host_without_ufw_fails_with_what_to_do():
    with pytest.raises(UfwError, match="install the package ufw"):
        run(FakeFirewall(installed=False), SSH)


@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check mode"])
def test_rules_that_shut_out_an_open_session_are_refused_and_nothing_is_done(check_mode):
    firewall = FakeFirewall(peers=["10.20.0.5"])
    with pytest.raises(UfwError, match=r"10\.20\.0\.5 to port 22"):
        run(firewall, SQL, check_mode=check_mode)
    assert firewall.commands == []
    assert firewall.current == VIRGIN


def test_rules_that_shut_out_an_open_session_are_refused_even_when_nothing_would_change():
    firewall = FakeFirewall()
    run(firewall, SQL)
    firewall.peers = ["10.20.0.5"]
    with pytest.raises(UfwError, match="nothing was changed"):
        run(firewall, SQL)


def test_a_rule_that_is_no_longer_declared_goes():
    firewall = FakeFirewall()
    run(firewall, SSH, SQL)
    assert run(firewall, SSH)["rules_removed"] == ["allow 3306/tcp from 10.20.0.21  # webinfra: sql (web1)"]
    assert run(firewall, SSH)["changed"] is False


def test_foreign_rules_are_reported_and_stay():
    firewall = FakeFirewall(replace(VIRGIN, rules=FOREIGN))
    assert run(firewall, SSH)["foreign_rules"] == ["allow 80/tcp from any (IPv4)"]
    assert FOREIGN[0] in firewall.current.rules


def test_foreign_rules_go_when_told_to():
    firewall = FakeFirewall(replace(VIRGIN, rules=FOREIGN))
    result = run(firewall, SSH, foreign_rules="remove")
    assert result["foreign_rules"] == []
    assert FOREIGN[0] not in firewall.current.rules


def test_a_firewall_that_does_not_become_as_declared_fails_with_both():
    with pytest.raises(UfwError) as failure:
        run(FakeFirewall(obeys=False), SSH)
    assert "It is:\n  firewall off\n" in str(failure.value)
    assert "but should be:\n  firewall on\n" in str(failure.value)


def test_the_commands_are_returned_as_one_would_type_them():
    assert run(FakeFirewall(), SSH, check_mode=True)["commands"] == [
        "ufw allow proto tcp from any to any port 22 comment 'webinfra: ssh (controller)'",
        "ufw --force enable",
    ]


def test_the_way_back_is_there_before_the_first_command():
    firewall = FakeFirewall()
    assert run(firewall, SSH)["unconfirmed"] is True
    assert (firewall.armed, firewall.commands_before) == ([30], 0)
    assert firewall.commands


def test_without_a_change_nothing_has_to_be_confirmed():
    firewall = FakeFirewall()
    run(firewall, SSH)
    assert run(firewall, SSH)["unconfirmed"] is False
    assert firewall.armed == [30]


def test_what_an_earlier_run_left_unconfirmed_is_confirmed_by_the_next():
    firewall = FakeFirewall()
    run(firewall, SSH)
    firewall.doubtful, firewall.commands = True, []
    again = run(firewall, SSH)
    assert (again["changed"], again["unconfirmed"], firewall.armed) == (False, True, [30, 30])


def test_check_mode_arms_nothing():
    firewall = FakeFirewall()
    firewall.doubtful = True
    assert run(firewall, SSH, check_mode=True)["unconfirmed"] is True
    assert firewall.armed == []
