# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks say twice, once for speed and once in a role, is the same."""

from __future__ import annotations

import itertools

from .tree import ROOT, WIRING_FILES, load

WIRING = {name: value for path in WIRING_FILES for name, value in load(path).items()}
PACKAGES = WIRING["__webinfra_packages"]


def role(name, file):
    return load(ROOT / "roles" / name / file)


def installed_by(name):
    """Return the packages that the role's own install task names."""
    tasks = [task["ansible.builtin.apt"] for task in role(name, "tasks/install.yml") if "ansible.builtin.apt" in task]
    names = tasks[0]["name"]
    return names if isinstance(names, list) else [names]


def test_the_site_installs_what_every_hosts_roles_would_install():
    assert PACKAGES["all"] == [*installed_by("firewall"), *installed_by("node_exporter")]


def test_the_site_installs_what_hardening_would_install():
    chosen = role("hardening", "vars/main.yml")["__hardening_chosen"]
    assert WIRING["__webinfra_hardening_packages"] == [name for part in chosen[:-1] for name in part["packages"]]
    assert str(chosen[-1]["packages"]) in WIRING["__webinfra_time_packages"]


def test_the_site_installs_the_load_balancer_that_its_role_would_install():
    providers = role("load_balancer", "vars/main.yml")["__load_balancer_providers"]
    for provider, words in providers.items():
        assert f"'{provider}': ['{words['package']}']" in PACKAGES["load_balancers"]


def test_the_site_installs_the_database_that_its_role_would_install():
    for engine, words in role("database", "vars/main.yml")["__database_engines"].items():
        assert f"'{engine}': {words['packages']}" in PACKAGES["db_servers"]


def test_the_site_installs_what_a_shared_address_would_install():
    assert f"({installed_by('virtual_ip')} if __webinfra_virtual_ip else [])" in PACKAGES["load_balancers"]


def test_the_site_installs_what_a_certificate_would_install():
    packages = [task["ansible.builtin.apt"]["name"] for task in role("certificate", "tasks/install.yml")]
    assert (
        "(['{}'] if __webinfra_tls else []) + (['{}'] if __webinfra_tls_mode == 'acme' else [])".format(*packages)
        in PACKAGES["load_balancers"]
    )


def test_the_load_balancers_read_the_certificate_that_is_served():
    served = role("certificate", "vars/main.yml")
    pair = {
        key: path.replace("{{ __webinfra_tls_files }}", WIRING["__webinfra_tls_files"])
        for key, path in WIRING["__webinfra_tls_pair"].items()
        if key != "names"
    }
    assert pair == {"certificate": served["certificate_file"], "private_key": served["certificate_private_key_file"]}


def test_challenges_are_answered_at_the_port_of_the_role():
    port = role("certificate", "defaults/main.yml")["certificate_acme_port"]
    assert f"default({port})" in WIRING["__webinfra_acme_port"]


def test_a_shared_address_asks_for_what_the_load_balancer_answers():
    defaults = role("load_balancer", "defaults/main.yml")
    assert f"default('{defaults['load_balancer_alive_path']}')" in WIRING["virtual_ip_path"]
    assert f"default({defaults['load_balancer_port']})" in WIRING["virtual_ip_port"]


def test_a_shared_address_that_is_not_declared_any_more_has_no_unit_left():
    units = [task["webinfra.stack.configured_service"]["name"] for task in role("virtual_ip", "tasks/configure.yml")]
    assert f"else {units[::-1]}" in WIRING["load_balancer_stopped_units"]


def test_the_site_installs_the_router_that_its_role_would_install():
    assert str(installed_by("database_router")) in PACKAGES["web_servers"]


def test_the_defaults_of_the_wiring_are_those_of_the_roles():
    assert f"default('{role('database', 'defaults/main.yml')['database_engine']}')" in WIRING["__webinfra_engine"]
    provider = role("load_balancer", "defaults/main.yml")["load_balancer_provider"]
    assert f"default('{provider}')" in WIRING["__webinfra_provider"]
    balancer = role("load_balancer", "defaults/main.yml")
    for wired, variable in (("http", ""), ("https", "https_"), ("balancer_metrics", "metrics_")):
        assert f"default({balancer[f'load_balancer_{variable}port']})" in WIRING[f"__webinfra_{wired}_port"]


def test_a_failover_counts_on_the_durability_that_replication_sets():
    assert WIRING["failover_durability"] == role("replication", "vars/main.yml")["replication_durability_in_force"]


def test_the_site_installs_what_monitoring_would_install():
    assert PACKAGES["monitoring"] == installed_by("monitoring")
    assert f"({installed_by('database_exporter')} if __webinfra_monitored else [])" in PACKAGES["db_servers"]
    assert f"({installed_by('balancer_exporter')} if __webinfra_nginx_measured else [])" in PACKAGES["load_balancers"]


def test_each_exporter_has_a_flow_from_monitoring_and_the_port_of_its_role():
    lists = [value for name, value in WIRING.items() if name.endswith("_flows") and isinstance(value, list)]
    opened = {
        (flow["to"], str(port))
        for flow in itertools.chain.from_iterable(lists)
        if flow["from"] == "monitoring"
        for port in flow.get("ports", [])
    }
    ports = {
        "all": role("node_exporter", "defaults/main.yml")["node_exporter_port"],
        "db_servers": role("database_exporter", "defaults/main.yml")["database_exporter_port"],
    }
    for exporter in WIRING["__webinfra_exporters"]:
        if exporter["group"] in ports:
            assert exporter["port"] == ports[exporter["group"]]
            assert (exporter["group"], str(exporter["port"])) in opened
    nginx = role("balancer_exporter", "defaults/main.yml")["balancer_exporter_port"]
    assert ("load_balancers", str(nginx)) in opened
    assert f"{{{{ {nginx} if __webinfra_provider == 'nginx'" in WIRING["__webinfra_exporters"][2]["port"]
