# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.virtual_ip_holders import FilterModule as Holders
from ansible_collections.webinfra.stack.plugins.filter.virtual_ip_interface import FilterModule as Interface

ADDRESSES = [{"interface": "eth0", "address": "10.20.0.11/24"}, {"interface": "eth0", "address": "10.20.0.10/32"}]
HOSTVARS = {"lb1": {"survey": {"addresses": ADDRESSES}}, "lb2": {"survey": {"addresses": ADDRESSES[:1]}}, "lb3": {}}
virtual_ip_holders = Holders().filters()["virtual_ip_holders"]
virtual_ip_interface = Interface().filters()["virtual_ip_interface"]


@pytest.mark.parametrize(("address", "holders"), [("10.20.0.10", ["lb1"]), ("10.20.0.9", []), ("", [])])
def test_who_has_the_address_is_told_by_those_who_were_asked(address, holders):
    assert virtual_ip_holders(["lb1", "lb2", "lb3"], HOSTVARS, "survey", address) == holders


def test_an_address_belongs_to_the_interface_of_its_network():
    assert virtual_ip_interface("10.20.0.10", ADDRESSES) == "eth0"


@pytest.mark.parametrize("address", ["10.30.0.10", "www.example.com"])
def test_an_address_that_fits_no_network_fails_the_template_with_the_reason(address):
    with pytest.raises(AnsibleFilterError, match=f"virtual_ip_interface: .*{address}"):
        virtual_ip_interface(address, ADDRESSES)
