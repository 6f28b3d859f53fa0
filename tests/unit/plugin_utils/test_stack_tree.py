# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_tree import stack_tiers, tree_lines

HOSTS = [
    {"name": "lb1", "address": "10.0.0.11", "groups": ["load_balancers"], "weight": 1, "backup": False},
    {"name": "web1", "address": "10.0.0.21", "groups": ["web_servers"], "weight": 3, "backup": False},
    {"name": "web2", "address": "10.0.0.22", "groups": ["web_servers"], "weight": 1, "backup": True},
    {"name": "db1", "address": "10.0.0.31", "groups": ["db_servers"], "weight": 1, "backup": False},
    {"name": "db2", "address": "10.0.0.32", "groups": ["db_servers"], "weight": 1, "backup": False},
]

HEALTHY = {"primary": "db1", "replicas": ["db2"], "canary": {"seconds": {"db2": 0.004}}}


def lines(replication=None, hosts=HOSTS, colour=False, overrides=None, shared_address="", holders=()):
    seen = HEALTHY if replication is None else replication
    tiers = stack_tiers(
        hosts,
        provider="haproxy",
        engine="mariadb",
        release="abc",
        shares={"web1": 40},
        overrides=overrides or {},
        shared_address=shared_address,
        holders=holders,
        replication=seen,
    )
    return tree_lines("http://127.0.0.1:8080", tiers, colour=colour)


def test_the_tree_shows_every_host_under_its_tier():
    assert lines() == [
        "http://127.0.0.1:8080",
        "├─ load balancers",
        "│  └─ ● lb1   10.0.0.11  haproxy",
        "├─ web servers",
        "│  ├─ ● web1  10.0.0.21  weight 3, release abc, 40 of 40 requests",
        "│  └─ ● web2  10.0.0.22  backup, release abc, 0 of 40 requests",
        "└─ databases, mariadb",
        "   ├─ ● db1   10.0.0.31  primary, takes writes",
        "   └─ ● db2   10.0.0.32  replica of db1, a row arrived after 4 ms",
    ]


def test_a_replica_without_a_measured_row_only_follows():
    assert lines({"primary": "db1", "replicas": ["db2"], "canary": {}})[-1].endswith("replica of db1, follows")


def test_a_database_without_a_role_is_named():
    assert lines({"primary": "db1", "replicas": []})[-1].endswith("neither primary nor replica")


def test_a_tier_without_hosts_is_left_out():
    assert "├─ load balancers" not in lines(hosts=HOSTS[1:])


def test_colours_are_only_added_when_asked_for():
    assert not any("\033" in line for line in lines())
    assert any("\033" in line for line in lines(colour=True))


def test_databases_that_were_not_asked_are_not_accused():
    assert lines({})[-1].endswith("not asked in this run")


def test_nobody_forgets_a_server_that_was_taken_out():
    override = {"state": "drain", "weight": None, "since": "2026-11-27", "requested_by": "anna", "reason": "new kernel"}
    assert "drain since 2026-11-27 by anna: new kernel" in "\n".join(lines(overrides={"web1": override}))
    lighter = {"state": "ready", "weight": 1, "since": "2026-11-27", "requested_by": None, "reason": None}
    assert "ready with weight 1 since 2026-11-27" in "\n".join(lines(overrides={"web1": lighter}))


def test_a_shared_address_is_shown_where_it_is():
    two = [HOSTS[0], {**HOSTS[0], "name": "lb2", "address": "10.0.0.12"}]
    shown = lines(hosts=two, shared_address="10.0.0.10", holders=["lb2"])
    assert shown[2:] == ["   ├─ ● lb1  10.0.0.11  haproxy, stands by", "   └─ ● lb2  10.0.0.12  haproxy, has 10.0.0.10"]
