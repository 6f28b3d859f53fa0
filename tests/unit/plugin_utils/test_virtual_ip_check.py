# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Member
from ansible_collections.webinfra.stack.plugins.plugin_utils.virtual_ip_check import (
    check_virtual_ip,
    check_virtual_ip_host,
)

BALANCERS = [
    Member(name=name, ansible_host=address)
    for name, address in (("lb1", "10.20.0.11"), ("lb2", "10.20.0.12"), ("web1", "10.20.0.21"))
]
NETWORK = [{"interface": "eth0", "address": "10.20.0.11/24"}]


def whats(findings):
    return [f"{finding.where}: {finding.what}" for finding in findings]


def test_an_address_that_two_balancers_can_share_has_no_finding():
    assert check_virtual_ip("10.20.0.10", ["lb1", "lb2"], BALANCERS) == []


@pytest.mark.parametrize(
    ("address", "balancers", "words"),
    [
        ("www.example.com", ["lb1", "lb2"], "'www.example.com' is not an IP address"),
        ("10.20.0.10/24", ["lb1", "lb2"], "'10.20.0.10/24' is not an IP address"),
        ("fd00::10", ["lb1", "lb2"], "fd00::10 is an IPv6 address"),
        ("10.20.0.21", ["lb1", "lb2"], "10.20.0.21 is the address of web1"),
        ("10.20.0.10", ["lb1"], "nobody who could take the address over"),
    ],
    ids=["a name", "a network", "IPv6", "a host's address", "one balancer"],
)
def test_an_address_that_cannot_be_shared_is_told_by_its_variable(address, balancers, words):
    (found,) = whats(check_virtual_ip(address, balancers, BALANCERS))
    assert found.startswith("webinfra_virtual_ip: ")
    assert words in found


def of_balancer(address="10.20.0.10", distribution="Debian", version="13"):
    return check_virtual_ip_host("lb1", address, NETWORK, distribution=distribution, version=version)


def test_a_balancer_in_the_network_of_the_address_can_have_it():
    assert of_balancer() == []
    assert of_balancer(distribution="Ubuntu", version="24.04") == []


def test_a_balancer_outside_of_the_network_of_the_address_is_told_with_its_own():
    (found,) = whats(of_balancer("10.30.0.10"))
    assert found.startswith("lb1: it cannot have the address of webinfra_virtual_ip: 10.30.0.10 is in none")
    assert "10.20.0.0/24 (eth0)" in found


def test_a_balancer_whose_firewall_knows_no_vrrp_is_told():
    (found,) = whats(of_balancer(distribution="Ubuntu", version="22.04"))
    assert "the UFW of Ubuntu 22.04 cannot let in VRRP" in found


def test_what_is_no_address_is_told_once_and_not_by_each_balancer():
    assert of_balancer("www.example.com") == []
