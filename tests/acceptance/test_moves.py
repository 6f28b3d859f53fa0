# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The primary moves, dies and comes back, and what the application's users see of it."""

from __future__ import annotations

import contextlib
import json
import uuid

import pytest

from .conftest import eventually

JOURNAL = ("journalctl", "--unit", "webinfra-primary-guard", "--lines", "1", "--output", "cat")


def post(demo) -> int:
    return demo.request("/entries", {"name": "moves", "message": f"hello {uuid.uuid4()}"}).status


def writes_go_to(demo, server: str) -> bool:
    page = demo.request("/")
    return page.headers["X-Db-Write"] == server and post(demo) in {200, 303}


def initial_role(demo) -> str:
    """Return what db1 takes itself for since its last start; nothing while it does not answer."""
    found = demo.on("db1", "sh", "-c", "mariadb -NBe \"SHOW STATUS LIKE 'Rpl_status'\" || true").split()
    return found[-1] if found else ""


@pytest.fixture
def at_home(demo):
    """Let db1 take the writes again afterwards, whatever the test has done."""
    yield
    demo.on("db1", "systemctl", "start", "mariadb")
    demo.play("webinfra.stack.rejoin")
    assert demo.play("webinfra.stack.switchover", "-e", "switchover_target=db1").code == 0
    assert writes_go_to(demo, "db1")


@pytest.mark.usefixtures("at_home")
def test_a_switchover_moves_the_writes_and_the_site_leaves_them_there(demo):
    predicted = demo.play("webinfra.stack.switchover", "--check")
    assert "db2 would take the writes over from db1" in predicted.output
    assert writes_go_to(demo, "db1")
    moved = demo.play("webinfra.stack.switchover")
    assert moved.code == 0, moved.output
    assert "db2 took the writes over from db1" in moved.output
    eventually(lambda: writes_go_to(demo, "db2"), seconds=3)
    site = demo.site()
    assert site.code == 0, site.output
    assert set(site.changed.values()) == {0}
    assert writes_go_to(demo, "db2")
    entry = json.loads(demo.on("db1", "cat", "/var/log/webinfra/audit.log").splitlines()[-1])
    assert entry.items() >= {"verb": "switchover", "primary": "db2", "former_primary": "db1"}.items()


@pytest.mark.usefixtures("at_home")
def test_a_primary_that_is_gone_costs_writes_only_until_the_failover(demo):
    demo.on("db1", "systemctl", "stop", "mariadb")
    refused = demo.request("/entries", {"name": "moves", "message": "into the void"})
    assert refused.status == 503
    assert demo.servers_of(20) == {"web1": 15, "web2": 5}
    assert demo.request("/").status == 200
    taken = demo.play("webinfra.stack.failover")
    assert taken.code == 0, taken.output
    assert "db2 took the writes over from db1" in taken.output
    eventually(lambda: writes_go_to(demo, "db2"), seconds=3)
    demo.on("db1", "systemctl", "start", "mariadb")
    assert initial_role(demo) == "IDLE_SLAVE"
    site = demo.site()
    assert site.code == 0, site.output
    assert writes_go_to(demo, "db2")
    again = demo.play("webinfra.stack.failover")
    assert again.code != 0
    assert "db2 answers: it takes writes" in again.output


def test_a_primary_that_crashed_opens_itself_when_its_replica_agrees(demo):
    demo.on("db1", "systemctl", "kill", "--signal=KILL", "mariadb")
    eventually(lambda: not writes_go_to(demo, "db1"))
    eventually(lambda: initial_role(demo) == "AUTH_MASTER")
    eventually(lambda: writes_go_to(demo, "db1"), seconds=60)
    eventually(lambda: "It takes writes again. Followed by db2" in demo.on("db1", *JOURNAL))
    assert demo.verify().code == 0


def test_a_primary_alone_in_the_dark_stays_closed_and_says_so(demo):
    with contextlib.ExitStack() as mending:
        demo.on("db2", "systemctl", "stop", "mariadb")
        mending.callback(demo.on, "db2", "systemctl", "start", "mariadb")
        demo.on("db1", "systemctl", "restart", "mariadb")
        eventually(lambda: "db2 cannot be asked" in demo.on("db1", *JOURNAL))
        assert post(demo) == 503
    eventually(lambda: writes_go_to(demo, "db1"), seconds=60)


# Data that a crash has damaged end a server at an unforeseen moment; here it is the one that was seen on a real host.
DIES_WHEN_IT_BEGINS_TO_FOLLOW = (
    "until mariadb --execute 'SHOW REPLICA STATUS' | grep --quiet .; do :; done;"
    " systemctl kill --signal=KILL mariadb.service"
)


def test_a_server_that_dies_when_it_begins_to_follow_is_filled_anew(demo):
    demo.sql("db2", "STOP SLAVE; RESET SLAVE ALL")
    demo.docker("exec", "--detach", "webinfra-demo-db2", "sh", "-c", DIES_WHEN_IT_BEGINS_TO_FOLLOW)
    came_back = demo.play("webinfra.stack.rejoin")
    assert came_back.code == 0, came_back.output
    assert "db2 was re-seeded from db1" in came_back.output
    definers = "SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'webinfra'"
    assert demo.sql("db2", definers).split() == demo.sql("db1", definers).split() == ["webinfra_heartbeat@localhost"]


@pytest.fixture
def link_of_db2_refused(demo):
    """Let db2 follow nobody, and db1 refuse it."""
    demo.sql("db2", "STOP SLAVE; RESET SLAVE ALL")
    demo.sql("db1", "RENAME USER replication@'10.213.80.32' TO replication@'192.0.2.1'")
    yield
    demo.sql("db1", "RENAME USER replication@'192.0.2.1' TO replication@'10.213.80.32'")
    assert demo.play("webinfra.stack.rejoin").code == 0


@pytest.mark.usefixtures("link_of_db2_refused")
def test_a_server_that_lives_and_cannot_follow_keeps_its_data(demo):
    refused = demo.play("webinfra.stack.rejoin", "-e", "replication_timeout=5")
    assert refused.code != 0
    assert "Access denied" in refused.output
    assert "re-seeded" not in refused.output


def test_a_misspelt_wish_is_refused_before_anything_moves(demo):
    refused = demo.play("webinfra.stack.switchover", "-e", "switchover_tagret=db2")
    assert refused.code != 0
    assert "switchover_tagret" in refused.output
    assert writes_go_to(demo, "db1")
