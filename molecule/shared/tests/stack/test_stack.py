# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scenario's stack does, seen over the network and on its hosts."""

from __future__ import annotations

import collections
import re
import uuid

import pytest

SQL = "SELECT @@global.read_only"


def test_requests_land_by_weight(scenario):
    share = collections.Counter(scenario.ask("/healthz")[0]["X-Served-By"] for _ in range(40))
    assert share == {"web1": pytest.approx(30, abs=2), "web2": pytest.approx(10, abs=2)}


def test_an_entry_is_written_to_the_primary_and_read_from_a_replica(scenario, eventually):
    message = f"hello {uuid.uuid4()}"
    scenario.ask("/entries", {"name": "molecule", "message": message})
    eventually(lambda: message in scenario.ask()[1], seconds=3)
    headers, _page = scenario.ask()
    assert headers["X-Db-Write"] == "db1"
    assert headers["X-Db-Read"] in set(scenario.databases) - {"db1"}


def test_exactly_one_database_takes_writes(scenario):
    closed = {name: scenario.sql(name, SQL) for name in scenario.databases}
    assert closed == {**dict.fromkeys(scenario.databases, "1"), "db1": "0"}


def test_the_replica_demands_tls_and_checks_the_certificate(scenario):
    wanted = r"_(SSL_Allowed|SSL_Verify_Server_Cert|SSL_CA_File): (.*)$"
    fields = dict(re.findall(wanted, scenario.link("db2"), re.MULTILINE))
    assert fields == {
        "SSL_Allowed": "Yes",
        "SSL_Verify_Server_Cert": "Yes",
        "SSL_CA_File": "/etc/mysql/tls/ca.pem",
    }


@pytest.mark.parametrize(
    ("source", "target", "port", "reachable"),
    [
        ("lb1", "web1", 8000, True),
        ("web1", "db1", 3306, True),
        ("db2", "db1", 3306, True),
        ("lb1", "db1", 3306, False),
        ("web1", "web2", 8000, False),
        ("db1", "web1", 9100, False),
    ],
    ids=str,
)
def test_the_firewall_lets_in_what_the_flow_matrix_says(scenario, source, target, port, reachable):
    assert scenario.can_reach(source, target, port) is reachable


def test_every_host_serves_its_metrics(scenario):
    for name in ("lb1", "web1", "web2", *scenario.databases):
        url = f"http://{scenario.address(name)}:9100/metrics"
        page = scenario.host(name).check_output(
            f"python3 -c \"import urllib.request as u; print(u.urlopen('{url}').read(4000))\""
        )
        assert "HELP" in page


def test_the_application_runs_as_its_own_user(scenario):
    for name in ("web1", "web2"):
        assert {process.user for process in scenario.host(name).process.filter(comm="gunicorn")} == {"guest_book"}


def test_a_restarted_replica_comes_back_read_only_and_follows(scenario, eventually):
    unit = scenario.unit("db2")
    scenario.host("db2").check_output(f"systemctl restart {unit}")
    assert scenario.sql("db2", SQL) == "1"
    eventually(lambda: scenario.link("db2").count("_Running: Yes") == 2)


def test_secrets_are_readable_by_their_readers_alone(scenario):
    for name, path in (("web1", "/etc/guest_book/secrets"), ("db1", "/etc/mysql/tls/server.key")):
        assert scenario.host(name).file(path).mode & 0o007 == 0
