# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import (
    Finding,
    Interfaces,
    Member,
    Tier,
    UnknownRoleError,
    broken_value,
    check_addresses,
    check_distribution,
    check_engine,
    check_facts,
    check_flows,
    check_names,
    check_servers,
    check_tiers,
    check_value,
    missing_value,
    report,
)

ROLES = {
    "load_balancer": {
        "load_balancer_port": {"type": "int", "default": 80},
        "load_balancer_provider": {"type": "str", "choices": ["haproxy", "nginx"]},
        "load_balancer_servers": {"type": "list", "elements": "dict", "required": True},
    },
    "database": {"database_port": {"type": "int"}, "database_engine": {"type": "str"}},
    "database_router": {"database_router_read_port": {"type": "int"}},
}
INTERFACES = Interfaces(roles=ROLES, stack={"webinfra_app": {"type": "dict"}})


def member(name="web1", address="10.20.0.21", **values):
    return Member(name=name, **{"ansible_host": address, **values})


def whats(findings):
    return [f"{finding.where}: {finding.what}" for finding in findings]


def test_a_tier_without_a_host_is_told_by_its_group():
    tiers = [
        Tier(group="web_servers", noun="web server", hosts=["web1"]),
        Tier(group="db_servers", noun="database server", hosts=[]),
    ]
    assert check_tiers(tiers) == [
        Finding(
            where="inventory",
            what="there is no database server: the group db_servers has no host",
            remedy="put at least one host into the group db_servers",
        )
    ]


@pytest.mark.parametrize(
    "servers",
    [
        [],
        [member()],
        [member(weight=3), member("web2", weight="1")],
        [member(weight=0), member("web2", weight=256)],
        [member(), member("web2", backup=True)],
        [member(), member("web2", backup="yes", weight=0)],
    ],
    ids=["none", "defaults", "weights", "one is out", "one stands by", "words"],
)
def test_servers_that_balance_have_no_findings(servers):
    assert check_servers(servers, "web_servers") == []


@pytest.mark.parametrize("weight", ["many", -1, 257, 1.5, True, "", None, "٣"])
def test_a_weight_that_is_none_is_told_by_its_host(weight):
    found = check_servers([member(weight=weight)], "web_servers")
    assert whats(found) == [f"web1: weight {weight!r} is not a whole number from 0 to 256"]


@pytest.mark.parametrize("name", ["max_connections", "slow_start"])
@pytest.mark.parametrize("value", ["many", -1, 1.5, True, None])
def test_a_limit_that_is_no_number_is_told_by_its_host(name, value):
    assert whats(check_servers([member(**{name: value})], "web_servers")) == [
        f"web1: {name} {value!r} is not a whole number"
    ]
    assert check_servers([member(**{name: "20"})], "web_servers") == []


@pytest.mark.parametrize("backup", ["perhaps", 2, None, []])
def test_a_backup_that_is_neither_true_nor_false_is_told_by_its_host(backup):
    found = check_servers([member(backup=backup)], "web_servers")
    assert whats(found) == [f"web1: backup {backup!r} is neither true nor false"]


@pytest.mark.parametrize(
    ("servers", "what"),
    [
        (
            [member(backup=True), member("web2", backup="on")],
            "every web server is a backup (web1, web2), so none would be asked first",
        ),
        (
            [member(weight=0), member("web2", weight="0")],
            "the weight of every web server that is not a backup is 0 (web1, web2), so none would be asked",
        ),
        (
            [member(weight=0), member("web2", backup=True, weight=5)],
            "the weight of every web server that is not a backup is 0 (web1), so none would be asked",
        ),
    ],
    ids=["all stand by", "all are out", "only the backup has a weight"],
)
def test_servers_of_which_none_would_be_asked_are_told_by_their_group(servers, what):
    assert whats(check_servers(servers, "web_servers")) == [f"group web_servers: {what}"]


def test_the_internal_address_wins_over_the_address_of_ansible():
    hosts = [member(internal_address="10.30.0.1"), member("web2", internal_address="10.30.0.2")]
    assert check_addresses(hosts) == []


def test_the_name_of_a_host_may_be_its_address():
    assert check_addresses([Member(name="10.20.0.21")]) == []


@pytest.mark.parametrize(
    ("host", "what"),
    [
        (Member(name="web1"), "its address 'web1' is not an IP address"),
        (member(address="web1.example.com"), "its address 'web1.example.com' is not an IP address"),
        (member(address="127.0.0.1"), "its address 127.0.0.1 cannot be reached from other hosts"),
        (member(address="0.0.0.0"), "its address 0.0.0.0 cannot be reached from other hosts"),
        (member(address="::1"), "its address ::1 cannot be reached from other hosts"),
    ],
    ids=["a name", "a full name", "loopback", "unspecified", "loopback of IPv6"],
)
def test_a_host_without_a_usable_address_is_told(host, what):
    (finding,) = check_addresses([host])
    assert f"web1: {what}" in whats([finding])[0]


def test_two_hosts_with_one_address_are_told_together():
    hosts = [member(), member("web2"), member("db1", "10.20.0.31"), member("web3", "010.20.0.21")]
    assert "web1 and web2: they have the same address 10.20.0.21" in whats(check_addresses(hosts))


def test_two_spellings_of_one_ipv6_address_are_one_address():
    found = check_addresses([member(address="fd00::1"), member("web2", "FD00:0::0001")])
    assert whats(found) == ["web1 and web2: they have the same address fd00::1"]


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("load_balancer_prot", "load_balancer_port"),
        ("load_balancer_provder", "load_balancer_provider"),
        ("database_router_raed_port", "database_router_read_port"),
        ("databse_engine", "database_engine"),
        ("webinfra_ap", "webinfra_app"),
        ("wieght", "weight"),
        ("bakcup", "backup"),
        ("internal_adress", "internal_address"),
    ],
)
def test_a_misspelt_variable_is_told_with_what_was_meant(variable, suggestion):
    found = check_names([variable], INTERFACES)
    assert found[variable].what == f"unknown variable {variable} (did you mean {suggestion}?)"


@pytest.mark.parametrize("variable", ["database_xyzzy", "webinfra_xyzzy"])
def test_an_unknown_variable_with_our_prefix_is_told_without_a_guess(variable):
    assert check_names([variable], INTERFACES)[variable].what == f"unknown variable {variable}"


@pytest.mark.parametrize(
    "variable",
    ["load_balancer_port", "weight", "webinfra_app", "ansible_prot", "colour", "my_app_port", "datacentre", "__weigth"],
)
def test_variables_that_are_known_or_nobodys_business_are_let_through(variable):
    assert check_names([variable], INTERFACES) == {}


def test_a_variable_that_is_declared_to_be_somebody_elses_is_let_through():
    assert check_names(["wieght", "database_xyzzy"], INTERFACES, ["wieght", "database_xyzzy"]) == {}


def test_the_prefix_of_the_stack_is_not_looked_at_without_its_variables():
    assert check_names(["webinfra_xyzzy"], Interfaces(roles=ROLES, stack={})) == {}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ({"type": "int"}, 80),
        ({"type": "int"}, "80"),
        ({"type": "list", "elements": "str"}, []),
        ({"type": "str", "choices": ["a"]}, "a"),
        ({"type": "dict"}, {"a": 1}),
    ],
    ids=str,
)
def test_a_value_that_the_role_accepts_has_no_finding(option, value):
    assert check_value("database_port", option, value, "the role database") is None


@pytest.mark.parametrize("value", ["", None], ids=["empty", "null"])
def test_a_secret_that_is_given_must_not_be_empty(value):
    finding = check_value("webinfra_app_password", {"type": "str", "no_log": True}, value, "the stack")
    assert "is empty" in finding.what
    assert "leave it out" in finding.remedy


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ({"type": "int"}, "eighty", "unable to convert to int"),
        ({"type": "str", "choices": ["haproxy", "nginx"]}, "varnish", "must be one of: haproxy, nginx, got: varnish"),
        (
            {"type": "list", "elements": "dict", "options": {"weight": {"type": "int"}}},
            [{"wieght": 3}],
            "wieght. Supported parameters include: weight",
        ),
        ({"type": "str", "required": True}, "", "database_port is empty, and the role database needs it"),
        ({"type": "str", "required": True}, None, "database_port is empty, and the role database needs it"),
    ],
    ids=["type", "choice", "unknown sub-option", "empty", "null"],
)
def test_a_value_that_the_role_refuses_is_told(option, value, words):
    assert words in check_value("database_port", option, value, "the role database").what


@pytest.mark.parametrize("variable", ["web_app_secret_environment", "replication_password", "database_accounts"])
def test_a_value_that_may_be_a_secret_is_never_shown(variable):
    finding = check_value(variable, {"type": "int"}, "hunter2", "the role x")
    assert "hunter2" not in finding.what + finding.remedy
    assert variable in finding.what


def test_a_variable_that_cannot_be_computed_is_told_in_one_line():
    assert broken_value("a_b", "first\n  second").what == "a_b cannot be computed: first second"


def test_a_missing_variable_is_told_with_its_role():
    found = missing_value("replication_password", "replication", "db1")
    assert whats([found]) == ["db1: replication_password is not set, and the role replication needs it"]


def test_a_flow_that_names_nobody_is_told():
    flows = [{"name": "cache", "from": "web_server", "to": "all", "ports": [6379]}]
    (finding,) = check_flows(flows, [member(groups=frozenset({"web_servers"}))])
    assert "flow cache: from: there is no group 'web_server'" in finding.what


@pytest.mark.parametrize(
    ("distribution", "version", "supported"),
    [
        ("Debian", "12", True),
        ("Debian", "13", True),
        ("Debian", "11", False),
        ("Debian", "n/a", False),
        ("Ubuntu", "22.04", True),
        ("Ubuntu", "24.04", True),
        ("Ubuntu", "26.04", True),
        ("Ubuntu", "25.10", False),
        ("Rocky", "9", False),
    ],
)
def test_a_distribution_that_nobody_has_tried_is_told(distribution, version, supported):
    assert (check_distribution("db1", distribution, version, allow_untested=False) == []) is supported
    assert check_distribution("db1", distribution, version, allow_untested=True) == []


@pytest.mark.parametrize(
    ("engine", "distribution", "version", "there"),
    [
        ("mariadb", "Debian", "12", True),
        ("mysql", "Debian", "12", False),
        ("mysql", "Debian", "13", False),
        ("mysql", "Debian", "n/a", True),
        ("mysql", "Ubuntu", "24.04", True),
    ],
)
def test_an_engine_that_the_distribution_does_not_have_is_told(engine, distribution, version, there):
    assert (check_engine("db1", engine, distribution, version) == []) is there


def test_a_host_that_does_not_answer_is_told_with_its_address_and_the_reason():
    facts = {"unreachable": True, "msg": "Task failed: No route\r\nto host"}
    (finding,) = check_facts(member(), facts)
    assert whats([finding]) == ["web1 (10.20.0.21): it does not answer: No route to host"]
    assert "--limit '!web1'" in finding.remedy


def test_a_host_on_which_ansible_cannot_work_is_told_with_the_reason():
    found = check_facts(member(), {"failed": True, "msg": "Missing sudo password"})
    assert whats(found) == ["web1 (10.20.0.21): Ansible logs in, and cannot work there: Missing sudo password"]


def test_a_host_that_answers_has_no_finding():
    assert check_facts(member(), {"ansible_facts": {}}) == []


def test_an_unknown_role_is_refused():
    with pytest.raises(UnknownRoleError, match=r"no role 'firewal'.+load_balancer, database, database_router"):
        INTERFACES.options_of("firewal")


def test_the_report_has_every_finding_with_where_what_and_what_to_do():
    findings = [
        Finding(where="web1", what="is odd", remedy="even it"),
        Finding(where="db1", what="is even", remedy="-"),
    ]
    assert report(findings) == ("2 problems; nothing was changed:\n- web1: is odd\n  → even it\n- db1: is even\n  → -")
    assert report(findings[:1]).startswith("1 problem; ")
