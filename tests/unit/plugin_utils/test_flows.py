# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.webinfra.stack.plugins.plugin_utils.flows import FlowError, Service, matrix

HOSTS = [
    {"name": "lb1", "address": "10.20.0.11", "groups": ["all", "load_balancers"]},
    {"name": "web1", "address": "10.20.0.21", "groups": ["all", "web_servers"]},
    {"name": "web2", "address": "fd00::22", "groups": ["all", "web_servers"]},
    {"name": "db1", "address": "10.20.0.31", "groups": ["all", "db_servers"]},
    {"name": "db2", "address": "10.20.0.32", "groups": ["all", "db_servers"]},
]
FLOWS = [
    {"name": "ssh", "from": "controller", "to": "all", "ports": [22]},
    {"name": "http", "from": "internet", "to": "load_balancers", "ports": [80, 443]},
    {"name": "app", "from": "load_balancers", "to": "web_servers", "ports": ["8000"]},
    {"name": "sql", "from": "web_servers", "to": "db_servers", "ports": [3306]},
    {"name": "replication", "from": "db_servers", "to": "db_servers", "ports": [3306]},
    {"name": "metrics", "from": "monitoring", "to": "all", "ports": [9100]},
]


def flow(**changes):
    values = {"name": "cache", "from": "web_servers", "to": "db_servers", "ports": [6379], **changes}
    return {key: value for key, value in values.items() if value is not None}


def rules(host, controller_addresses=(), flows=FLOWS, hosts=HOSTS):
    found = matrix(flows, hosts).rules_for(host, controller_addresses)
    return [f"{rule.peer} {rule.port}/{rule.protocol} {rule.comment}" for rule in found]


def probes(source, controller_addresses=None, flows=FLOWS):
    found = matrix(flows, HOSTS).probes_from(source, controller_addresses)
    return {(probe.name, probe.port): (probe.expected, probe.flow) for probe in found}


def test_a_database_lets_in_web_servers_and_its_peers_but_needs_no_rule_for_itself():
    assert rules("db1") == [
        "any 22/tcp ssh (controller)",
        "10.20.0.21 3306/tcp sql (web1)",
        "fd00::22 3306/tcp sql (web2)",
        "10.20.0.32 3306/tcp replication (db2)",
    ]


def test_a_load_balancer_lets_in_everybody_on_each_port_of_the_flow():
    assert rules("lb1") == [
        "any 22/tcp ssh (controller)",
        "any 80/tcp http (internet)",
        "any 443/tcp http (internet)",
    ]


def test_the_controller_is_let_in_from_its_addresses_alone():
    assert rules("web1", ["192.0.2.7", "198.51.100.9/24", "fd00::1"])[:3] == [
        "192.0.2.7 22/tcp ssh (controller)",
        "198.51.100.0/24 22/tcp ssh (controller)",
        "fd00::1 22/tcp ssh (controller)",
    ]


def test_flows_that_open_the_same_become_one_rule_that_names_both():
    both = [*HOSTS, {"name": "all1", "address": "10.20.0.41", "groups": ["all", "web_servers", "db_servers"]}]
    assert "10.20.0.41 3306/tcp sql, replication (all1)" in rules("db1", hosts=both)


def test_a_port_of_two_protocols_is_two_rules():
    flows = [flow(name="dns", ports=[53], **{"from": "internet"}), flow(name="dns", ports=[53], protocol="udp")]
    assert rules("db1", flows=flows) == [
        "any 53/tcp dns (internet)",
        "10.20.0.21 53/udp dns (web1)",
        "fd00::22 53/udp dns (web2)",
    ]


def test_a_web_server_reaches_what_the_matrix_opens_and_nothing_else():
    found = probes("web1")
    assert {target for target, (expected, _flow) in found.items() if expected == "open"} == {
        ("lb1", 80),
        ("lb1", 443),
        ("db1", 3306),
        ("db2", 3306),
    }
    assert found["web2", 8000] == ("closed", "app")
    assert found["db1", 9100] == ("closed", "metrics")
    assert "web1" not in {name for name, _port in found}


def test_two_flows_of_one_port_are_told_by_the_one_that_opens_it():
    assert probes("web1")["db1", 3306] == ("open", "sql")
    assert probes("db1")["db2", 3306] == ("open", "replication")
    assert probes("lb1")["db1", 3306] == ("closed", "sql, replication")


def test_the_controller_reaches_what_is_its_own_and_what_is_open_to_the_internet():
    found = probes("controller")
    opened = {target for target, (expected, _flow) in found.items() if expected == "open"}
    assert opened == {(host["name"], 22) for host in HOSTS} | {("lb1", 80), ("lb1", 443)}
    assert len(found) == len(HOSTS) * 6


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [(None, None), ([], ("open", "ssh")), (["192.0.2.7"], ("closed", "ssh")), (["10.20.0.0/24"], ("open", "ssh"))],
    ids=["not known", "anybody", "somebody else", "a network with the host"],
)
def test_whether_a_host_reaches_ssh_depends_on_the_addresses_of_the_controller(addresses, expected):
    assert probes("web1", addresses).get(("db1", 22)) == expected


def test_udp_is_not_tried():
    assert ("db1", 53) not in probes("web1", flows=[flow(ports=[53], protocol="udp")])


VRRP = {"name": "vrrp", "from": "load_balancers", "to": "load_balancers", "protocol": "vrrp"}
TWO_BALANCERS = [*HOSTS, {"name": "lb2", "address": "10.20.0.12", "groups": ["all", "load_balancers"]}]


def test_a_protocol_without_ports_is_let_in_as_a_whole_from_the_others():
    found = matrix([VRRP], TWO_BALANCERS).rules_for("lb1")
    assert [rule.as_result() for rule in found] == [
        {"from": "10.20.0.12", "protocol": "vrrp", "comment": "vrrp (lb2)"},
    ]


def test_a_protocol_without_ports_is_not_tried():
    assert matrix([VRRP], TWO_BALANCERS).probes_from("lb1") == ()


def test_a_port_on_which_nobody_always_listens_is_tried_only_by_those_who_must_not_reach_it():
    found = probes("web1", flows=[*FLOWS, flow(permanent=False)])
    assert ("db1", 6379) not in found
    assert found["web2", 6379] == ("closed", "cache")
    assert probes("lb1", flows=[flow(permanent=False)])["db1", 6379] == ("closed", "cache")
    assert rules("db1", flows=[flow(permanent=False)])[0] == "10.20.0.21 6379/tcp cache (web1)"


def test_a_group_of_the_topology_may_be_empty():
    assert rules("lb1", flows=[flow(**{"from": "monitoring", "to": "all"})]) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": "web_server"}, "flow cache: from: there is no group 'web_server' .*did you mean 'web_servers'"),
        ({"to": "caches"}, "flow cache: to: there is no group 'caches'"),
        ({"to": "internet"}, "flow cache: to: there is no group 'internet'"),
        ({"prots": [1]}, "flow cache: unknown key 'prots' .did you mean 'ports'"),
        ({"ports": [0]}, "port 0 is not a port"),
        ({"ports": [65536]}, "port 65536 is not a port"),
        ({"ports": ["http"]}, "port 'http' is not a port"),
        ({"ports": [True]}, "port True is not a port"),
        ({"ports": 6379}, "ports must be a list; write ports: .6379."),
        ({"ports": None}, "ports missing"),
        ({"name": None}, "flow without a name: name missing"),
        ({"protocol": "icmp"}, "protocol 'icmp' is not known; write tcp or udp or vrrp"),
        ({"protocol": "vrrp"}, "flow cache: vrrp has no ports; leave ports out"),
        ({"protocol": "vrrp", "ports": None, "from": None}, "from missing; every flow has name, from, to$"),
        ({"permanent": "maybe"}, "permanent: 'maybe' is neither true nor false"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_flow_that_cannot_be_meant_is_refused(changes, words):
    with pytest.raises(FlowError, match=words):
        matrix([flow(**changes)], HOSTS)


def test_a_host_without_an_ip_address_is_refused():
    with pytest.raises(FlowError, match=r"host web3: 'web3' is not an IP address.+set internal_address"):
        matrix(FLOWS, [*HOSTS, {"name": "web3", "address": "web3", "groups": ["all"]}])


def test_a_host_that_is_not_in_the_inventory_is_refused():
    with pytest.raises(FlowError, match=r"no host 'web11' .did you mean 'web1'"):
        matrix(FLOWS, HOSTS).rules_for("web11")


def test_an_address_of_the_controller_that_is_none_is_refused():
    with pytest.raises(FlowError, match="address 'office' is neither"):
        matrix(FLOWS, HOSTS).rules_for("web1", ["office"])


ENDS = ["load_balancers", "web_servers", "db_servers", "monitoring", "all"]
ANY_FLOW = st.builds(
    lambda source, target, ports: flow(ports=ports, **{"from": source, "to": target}),
    st.sampled_from(["internet", "controller", *ENDS]),
    st.sampled_from(ENDS),
    st.lists(st.sampled_from([22, 80, 3306]), min_size=1),
)


@given(st.lists(ANY_FLOW, max_size=5), st.sampled_from([[], ["10.20.0.21"], ["192.0.2.0/24"]]))
def test_the_probes_expect_what_the_rules_let_in(flows, controller_addresses):
    """The firewall and its check are two readings of one matrix, and must never disagree."""
    read = matrix(flows, HOSTS)
    for source in HOSTS:
        for probe in read.probes_from(source["name"], controller_addresses):
            sources = {
                rule.peer for rule in read.rules_for(probe.name, controller_addresses) if rule.port == probe.port
            }
            assert (probe.expected == "open") == bool(sources & {"any", source["address"]})


@given(st.lists(ANY_FLOW, max_size=5))
def test_no_rule_is_there_twice_and_none_is_for_the_host_itself(flows):
    for host in HOSTS:
        found = matrix(flows, HOSTS).rules_for(host["name"])
        keys = [(rule.peer, rule.port, rule.protocol) for rule in found]
        assert len(keys) == len(set(keys))
        assert host["address"] not in {rule.peer for rule in found}


def out_of(host, *services):
    found = matrix(FLOWS, HOSTS).rules_out_of(host, [Service.from_options(each) for each in services])
    assert all(rule.outgoing for rule in found)
    return [f"{rule.peer} {rule.port}/{rule.protocol} {rule.comment}" for rule in found]


def test_a_host_may_go_where_a_flow_leads_it_and_not_to_itself():
    assert out_of("lb1") == ["10.20.0.21 8000/tcp app (web1)", "fd00::22 8000/tcp app (web2)"]
    assert out_of("db1") == ["10.20.0.32 3306/tcp replication (db2)"]


def test_a_host_may_go_to_services_outside_of_the_matrix():
    names = {"name": "names", "ports": [53], "protocol": "udp"}
    packages = {"name": "packages", "ports": ["80", 443], "to": "192.0.2.0/24"}
    assert out_of("db2", names, packages) == [
        "10.20.0.31 3306/tcp replication (db1)",
        "any 53/udp names (outside)",
        "192.0.2.0/24 80/tcp packages (outside)",
        "192.0.2.0/24 443/tcp packages (outside)",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prots": [53]}, "service names: unknown key 'prots' (did you mean 'ports'?)"),
        ({"protocol": "icmp"}, "protocol 'icmp' is not known; write tcp or udp"),
        ({"to": "somewhere"}, "address 'somewhere' is neither an IP address nor a network"),
        ({"ports": [0]}, "port 0 is not a port"),
    ],
)
def test_a_service_that_cannot_be_meant_is_refused(changes, words):
    with pytest.raises(FlowError) as refused:
        Service.from_options({"name": "names", "ports": [53], **changes})
    assert words in str(refused.value)
