# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_hosts import pool, stack_hosts

GROUPS = {"all": ["lb1", "web1", "web2"], "load_balancers": ["lb1"], "web_servers": ["web1", "web2"]}


NO_LIMITS = {"max_connections": 0, "slow_start": 0}
LIMITS = {"max_connections": 50, "slow_start": 20}


def hosts(**variables):
    return {host.name: host for host in stack_hosts({name: variables.get(name, {}) for name in GROUPS["all"]}, GROUPS)}


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "web1"),
        ({"ansible_host": "192.0.2.1"}, "192.0.2.1"),
        ({"ansible_host": "192.0.2.1", "internal_address": "10.0.0.1"}, "10.0.0.1"),
    ],
    ids=["its name", "how Ansible reaches it", "what the user says"],
)
def test_a_host_is_reached_by_its_most_specific_address(variables, address):
    assert hosts(web1=variables)["web1"].address == address


def test_a_host_knows_all_its_groups():
    assert hosts()["web1"].groups == ("all", "web_servers")


@pytest.mark.parametrize(("value", "backup"), [(True, True), ("yes", True), ("false", False), (False, False)], ids=str)
def test_backup_is_understood_as_ini_inventories_write_it(value, backup):
    assert hosts(web1={"backup": value})["web1"].backup is backup


def test_a_weight_from_an_ini_inventory_is_a_number():
    assert hosts(web1={"weight": "3"})["web1"].weight == 3


def test_a_server_id_is_the_address_as_a_number():
    assert hosts(web1={"internal_address": "10.0.0.1"})["web1"].server_id == 0x0A000001


def test_a_server_id_of_an_ipv6_address_fits_into_32_bits():
    assert 0 < hosts(web1={"internal_address": "2001:db8::1"})["web1"].server_id < 2**32


def test_a_pool_has_the_servers_of_one_group_in_the_order_of_the_inventory():
    limited = {"backup": True, "max_connections": "50", "slow_start": 20}
    found = [host.as_result() for host in hosts(web1={"weight": 3}, web2=limited).values()]
    assert pool(found, "web_servers", 8000) == [
        {"name": "web1", "address": "web1", "port": 8000, "weight": 3, "backup": False, **NO_LIMITS},
        {"name": "web2", "address": "web2", "port": 8000, "weight": 1, "backup": True, **LIMITS},
    ]
