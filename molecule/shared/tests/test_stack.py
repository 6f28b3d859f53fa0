# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scenario's stack does, seen over the network and on its hosts."""

from __future__ import annotations

import collections
import os
import re
import time
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import pytest
import testinfra
import yaml

CONNECTIONS = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "hosts" / "connections.yml"
HOSTS = yaml.safe_load(CONNECTIONS.read_text())["all"]["hosts"]
SQL = "SELECT @@global.read_only"


def address(name):
    return HOSTS[name]["ansible_host"]


def ask(path="/", form=None):
    body = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(f"http://{address('lb1')}{path}", data=body)
    with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
        return answer.headers, answer.read().decode()


def eventually(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
        time.sleep(0.2)
    return value


@pytest.fixture(scope="session")
def host():
    hosts = {name: testinfra.get_host(f"ansible://{name}?ansible_inventory={CONNECTIONS}") for name in HOSTS}
    return hosts.__getitem__


def sql(database, statement):
    client = "mariadb" if database.exists("mariadb") else "mysql"
    return database.check_output(f'{client} --batch --skip-column-names --execute "{statement}"')


def link_of(replica):
    """Return what the replica says of its link, as text with the names of the fields."""
    client = "mariadb" if replica.exists("mariadb") else "mysql"
    return replica.check_output(f"{client} --vertical --execute 'SHOW REPLICA STATUS'")


def can_reach(source, target, port):
    return source.run(f"timeout 2 bash -c '</dev/tcp/{address(target)}/{port}'").rc == 0


def test_requests_land_by_weight():
    share = collections.Counter(ask("/healthz")[0]["X-Served-By"] for _ in range(40))
    assert share == {"web1": pytest.approx(30, abs=2), "web2": pytest.approx(10, abs=2)}


def test_an_entry_is_written_to_the_primary_and_read_from_a_replica():
    message = f"hello {uuid.uuid4()}"
    ask("/entries", {"name": "molecule", "message": message})
    eventually(lambda: message in ask()[1], seconds=3)
    headers, _page = ask()
    assert (headers["X-Db-Write"], headers["X-Db-Read"]) == ("db1", "db2")


def test_exactly_one_database_takes_writes(host):
    assert {name: sql(host(name), SQL) for name in ("db1", "db2")} == {"db1": "0", "db2": "1"}


def test_the_replica_demands_tls_and_checks_the_certificate(host):
    wanted = r"_(SSL_Allowed|SSL_Verify_Server_Cert|SSL_CA_File): (.*)$"
    fields = dict(re.findall(wanted, link_of(host("db2")), re.MULTILINE))
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
def test_the_firewall_lets_in_what_the_flow_matrix_says(host, source, target, port, reachable):
    assert can_reach(host(source), target, port) is reachable


def test_every_host_serves_its_metrics(host):
    for name in HOSTS:
        page = host(name).check_output(
            f"python3 -c \"import urllib.request as u; print(u.urlopen('http://{address(name)}:9100/metrics').read(4000))\""
        )
        assert "HELP" in page


def test_the_application_runs_as_its_own_user(host):
    for name in ("web1", "web2"):
        assert {process.user for process in host(name).process.filter(comm="gunicorn")} == {"guest_book"}


def test_a_restarted_replica_comes_back_read_only_and_follows(host):
    replica = host("db2")
    unit = "mariadb" if replica.exists("mariadb") else "mysql"
    replica.check_output(f"systemctl restart {unit}")
    assert sql(replica, SQL) == "1"
    eventually(lambda: link_of(replica).count("_Running: Yes") == 2)


def test_secrets_are_readable_by_their_readers_alone(host):
    for name, path in (("web1", "/etc/guest_book/secrets"), ("db1", "/etc/mysql/tls/server.key")):
        assert host(name).file(path).mode & 0o007 == 0
