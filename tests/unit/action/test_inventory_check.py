# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.webinfra.stack.plugins.action.inventory_check import OPTIONS, Inspection

DEBIAN = {"ansible_facts": {"ansible_distribution": "Debian", "ansible_distribution_version": "13.2"}}
INVENTORY = {
    "lb1": {"ansible_host": "10.20.0.11"},
    "web1": {"ansible_host": "10.20.0.21", "weight": 3},
    "web2": {"ansible_host": "10.20.0.22"},
    "db1": {"ansible_host": "10.20.0.31"},
}
GROUPS = {"all": list(INVENTORY), "web_servers": ["web1", "web2"], "load_balancers": ["lb1"], "db_servers": ["db1"]}
TIERS = {"balancers": ["lb1"], "servers": ["web1", "web2"], "databases": ["db1"]}


class Broken(dict):
    """Variables of a host of which one cannot be computed from the inventory alone."""

    def __getitem__(self, name):
        if name == "load_balancer_port":
            raise AnsibleError("'web_port' is undefined")
        return super().__getitem__(name)


class FakeTemplar:
    def template(self, value):
        if value == "{{ nowhere }}":
            raise AnsibleError("'nowhere' is undefined")
        return value


def inspect(host, *arguments, **options):
    findings = inspection(host, *arguments, **options).findings()
    return [f"{finding.where}: {finding.what}" for finding in findings]


def inspection(host, changes=None, play_hosts=None, wiring=None, **options):
    hostvars = {name: {**values, **(changes or {}).get(name, {})} for name, values in INVENTORY.items()}
    hostvars = {name: Broken(values) if "load_balancer_port" in values else values for name, values in hostvars.items()}
    variables = {
        **dict(hostvars[host].items()),
        **(wiring or {}),
        "hostvars": hostvars,
        "inventory_hostname": host,
        "ansible_play_hosts_all": play_hosts or list(INVENTORY),
        "groups": GROUPS,
    }
    defaults = {name: option.get("default") for name, option in OPTIONS.items()}
    defaults |= {"servers": ["web1", "web2"], "facts": DEBIAN}
    return Inspection({**defaults, **options}, variables, FakeTemplar())


@pytest.mark.parametrize("host", INVENTORY)
def test_a_good_inventory_has_no_findings(host):
    assert inspect(host) == []


def test_what_concerns_the_inventory_is_told_by_the_first_host_of_the_play():
    bad = {"web1": {"weight": "many"}}
    told = ["web1: weight 'many' is not a whole number from 0 to 256"]
    assert inspect("lb1", bad) == told
    assert inspect("web1", bad) == []
    assert inspect("web2", bad, play_hosts=["web2"]) == told


def test_a_variable_of_several_hosts_is_told_once_by_the_first_that_has_it():
    bad = {name: {"databse_port": 1} for name in ("web1", "db1")}
    found = [inspect(host, bad) for host in INVENTORY]
    assert found == [[], ["web1, db1: unknown variable databse_port (did you mean database_port?)"], [], []]


def test_a_variable_of_all_hosts_is_told_for_all_of_them():
    bad = {name: {"node_exporter_port": "high"} for name in INVENTORY}
    assert inspect("lb1", bad)[0].startswith("all hosts: node_exporter_port: ")
    assert inspect("db1", bad) == []


def test_two_hosts_with_different_bad_values_are_told_both():
    bad = {"web1": {"node_exporter_port": "high"}, "web2": {"node_exporter_port": "low"}}
    assert inspect("web1", bad)[0].startswith("web1: node_exporter_port")
    assert inspect("web2", bad)[0].startswith("web2: node_exporter_port")


def test_a_value_that_needs_the_play_is_computed_with_the_play():
    given = {"lb1": {"load_balancer_port": "8080"}}
    assert inspect("lb1", given) == []
    assert "unable to convert to int" in inspect("lb1", given, wiring={"load_balancer_port": "high"})[0]


def test_a_value_that_cannot_be_computed_at_all_is_told():
    given = {"lb1": {"load_balancer_port": "{{ nowhere }}"}}
    assert inspect("lb1", given) == ["lb1: load_balancer_port cannot be computed: 'nowhere' is undefined"]


def test_who_stands_alone_in_the_inventory_is_told_by_the_first_host_of_the_play():
    assert [point.host for point in inspection("lb1", **TIERS).single_points()] == ["lb1", "db1"]
    assert inspection("web1", **TIERS).single_points() == []


def test_a_playbook_that_does_not_name_the_tiers_is_not_told_who_stands_alone():
    assert inspection("lb1").single_points() == []


def test_a_required_variable_that_nobody_set_is_told_for_the_roles_of_the_host():
    assert inspect("db1", roles=["load_balancer"]) == [
        "db1: load_balancer_servers is not set, and the role load_balancer needs it"
    ]
    assert inspect("db1", roles=["load_balancer"], wiring={"load_balancer_servers": []}) == []


def test_what_does_not_fit_on_balancers_is_told_once_by_the_first_of_them():
    bad = {name: {"load_balancer_https_redirect_enabled": True} for name in INVENTORY}
    told = ["lb1, web1: load_balancer_https_redirect_enabled is True, and without a certificate there is no HTTPS"]
    found = [inspect(host, bad, balancers=["lb1", "web1"]) for host in INVENTORY]
    assert found == [told, [], [], []]


def test_what_does_not_fit_is_told_where_there_is_a_balancer_only():
    bad = {"db1": {"load_balancer_https_redirect_enabled": True}}
    assert inspect("db1", bad, balancers=["lb1"]) == []


def test_a_variable_of_the_stack_is_held_against_its_description():
    bad = {"lb1": {"webinfra_app": {"prot": 1}}}
    stack = {"webinfra_app": {"type": "dict", "options": {"port": {"type": "int"}}}}
    assert inspect("lb1", bad) == []
    assert "webinfra_app.prot. Supported parameters include: port" in inspect("lb1", bad, stack_variables=stack)[0]


def test_flows_are_held_against_the_groups_only_when_every_host_has_an_address():
    flows = [{"name": "cache", "from": "web_server", "to": "all", "ports": [6379]}]
    assert "did you mean 'web_servers'" in inspect("lb1", flows=flows)[0]
    (finding,) = inspect("lb1", {"web1": {"ansible_host": "web1"}}, flows=flows)
    assert finding.startswith("web1: its address 'web1' is not an IP address")


def test_a_host_that_does_not_answer_is_told_and_nothing_more_is_asked_of_it():
    facts = {"unreachable": True, "msg": "no route"}
    assert inspect("db1", facts=facts) == ["db1 (10.20.0.31): it does not answer: no route"]


def test_the_engine_is_held_against_the_distribution_on_database_servers_alone():
    mysql = {name: {"database_engine": "mysql"} for name in INVENTORY}
    needed = {"database_server_id": 1, "database_report_host": "", "database_accounts": []}
    needed |= {f"database_{name}": "" for name in ("ca_certificate", "certificate", "private_key")}
    assert inspect("web1", mysql) == []
    assert inspect("db1", mysql, roles=["database"], wiring=needed) == [
        "db1: Debian 13 has no package of the database engine mysql"
    ]


def test_a_distribution_is_told_by_its_own_host():
    facts = {"ansible_facts": {"ansible_distribution": "Rocky", "ansible_distribution_version": "9.4"}}
    assert inspect("db1", facts=facts)[0].startswith("db1: it runs Rocky 9.4, which is not supported")
    assert inspect("db1", facts=facts, allow_untested=True) == []


SURVEY = {**DEBIAN, "addresses": [{"interface": "eth0", "address": "10.20.0.11/24"}]}


def inspect_address(host, address):
    """Look at a host whose groups make it a balancer."""
    return inspect(
        host, roles=["virtual_ip"], virtual_ip=address, balancers=["lb1", "lb2"], facts=SURVEY, wiring=SHARED
    )


SHARED = {"virtual_ip_addresses": [], "virtual_ip_member": "", "virtual_ip_members": []}


def test_an_address_that_balancers_cannot_share_is_told_once_and_by_each_balancer_that_cannot_have_it():
    assert inspect_address("lb1", "10.20.0.10") == []
    assert "is the address of db1" in inspect_address("lb1", "10.20.0.31")[0]
    assert inspect_address("web1", "10.20.0.31") == []
    assert "10.30.0.10 is in none of its networks" in inspect_address("web1", "10.30.0.10")[0]


TLS = {"mode": "internal", "names": ["www.example.com"], "certificate": "", "private_key": ""}
MADE = [{"names": TLS["names"], "certificate": "/x/certificate.pem", "private_key": "/x/key.pem"}]


def test_a_certificate_of_the_plays_own_making_is_one():
    redirecting = {"lb1": {"load_balancer_https_redirect_enabled": True}}
    wiring = {"load_balancer_certificates": MADE}
    assert inspect("lb1", redirecting, balancers=["lb1"], wiring=wiring, tls=TLS) == []
    none = {**TLS, "mode": "none"}
    assert inspect("lb1", redirecting, balancers=["lb1"], tls=none) == [
        "lb1: load_balancer_https_redirect_enabled is True, and without a certificate there is no HTTPS"
    ]


def test_names_that_are_missing_are_told_once():
    wiring = {"load_balancer_certificates": [{**MADE[0], "names": []}]}
    assert inspect("lb1", balancers=["lb1"], wiring=wiring, tls={**TLS, "names": []}) == [
        "load_balancers: webinfra_tls_mode is internal, and webinfra_tls_names has no name"
    ]
