# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.firewall_rules import FilterModule as FirewallRules
from ansible_collections.webinfra.stack.plugins.filter.reachability_targets import FilterModule as ReachabilityTargets

HOSTS = [
    {"name": "web1", "address": "10.20.0.21", "groups": ["all", "web_servers"]},
    {"name": "db1", "address": "10.20.0.31", "groups": ["all", "db_servers"]},
]
FLOWS = [
    {"name": "ssh", "from": "controller", "to": "all", "ports": [22]},
    {"name": "sql", "from": "web_servers", "to": "db_servers", "ports": [3306]},
]
firewall_rules = FirewallRules().filters()["firewall_rules"]
reachability_targets = ReachabilityTargets().filters()["reachability_targets"]


def test_rules_have_the_shape_of_the_modules_options():
    assert firewall_rules(FLOWS, HOSTS, "db1", ["192.0.2.7"]) == [
        {"from": "192.0.2.7", "port": 22, "protocol": "tcp", "comment": "ssh (controller)"},
        {"from": "10.20.0.21", "port": 3306, "protocol": "tcp", "comment": "sql (web1)"},
    ]


def test_targets_have_the_shape_of_the_modules_options():
    target = {"name": "db1", "host": "10.20.0.31", "protocol": "tcp"}
    assert reachability_targets(FLOWS, HOSTS, "web1", ["192.0.2.7"]) == [
        {**target, "port": 22, "expected": "closed", "flow": "ssh"},
        {**target, "port": 3306, "expected": "open", "flow": "sql"},
    ]


@pytest.mark.parametrize("function", [firewall_rules, reachability_targets], ids=["rules", "targets"])
def test_a_bad_flow_fails_the_template_with_the_reason(function):
    with pytest.raises(AnsibleFilterError, match="unknown key 'prot'"):
        function([{**FLOWS[0], "prot": 1}], HOSTS, "web1")
