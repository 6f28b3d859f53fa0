# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.virtual_ip import NoInterfaceError, holders, interface_of

ADDRESSES = [
    {"interface": "lo", "address": "127.0.0.1/8"},
    {"interface": "eth0", "address": "10.20.0.11/24"},
    {"interface": "eth0", "address": "fe80::11/64"},
    {"interface": "eth1", "address": "10.0.0.1/8"},
    {"interface": "eth2", "address": "fd00::11/64"},
    {"interface": "eth3", "address": "192.0.2.4/31"},
    {"interface": "eth4", "address": "198.51.100.1/32"},
]


@pytest.mark.parametrize(
    ("address", "interface"),
    [("10.20.0.10", "eth0"), ("10.21.0.10", "eth1"), ("fd00::10", "eth2"), ("192.0.2.5", "eth3")],
    ids=["the smallest network", "a large network", "IPv6", "a network of two"],
)
def test_an_address_belongs_to_the_interface_whose_network_it_is_in(address, interface):
    assert interface_of(address, ADDRESSES) == interface


def test_an_address_that_a_host_has_now_belongs_to_its_network_and_not_to_itself():
    shared = [*ADDRESSES, {"interface": "eth0", "address": "10.20.0.10/32"}]
    assert interface_of("10.20.0.10", shared) == "eth0"


@pytest.mark.parametrize(
    "address",
    ["203.0.113.1", "10.255.255.255", "127.0.0.2", "fe80::10", "fd01::10", "198.51.100.1"],
    ids=["elsewhere", "broadcast", "loopback", "link local", "elsewhere over IPv6", "an address without neighbours"],
)
def test_an_address_that_fits_no_network_is_refused_with_the_networks(address):
    networks = r"10\.20\.0\.0/24 \(eth0\), 10\.0\.0\.0/8 \(eth1\), fd00::/64 \(eth2\), 192\.0\.2\.4/31 \(eth3\)$"
    with pytest.raises(NoInterfaceError, match=f"{address} is in none of its networks: {networks}"):
        interface_of(address, ADDRESSES)


def test_a_host_without_networks_is_told_as_such():
    with pytest.raises(NoInterfaceError, match="it has none"):
        interface_of("10.20.0.10", [])


def test_who_has_an_address_has_it_with_any_prefix():
    assert holders("FD00::0010", {"lb1": ADDRESSES, "lb2": [{"interface": "eth0", "address": "fd00::10/128"}]}) == [
        "lb2"
    ]
