# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Green means that replication works: each fault is made by hand, and both verify and the site must be red."""

from __future__ import annotations

import contextlib
import uuid

import pytest

from .conftest import eventually

REPLICA = "db2"


@contextlib.contextmanager
def fault(demo, make, mend):
    """Make a fault; afterwards the replica must follow again, or no later test means anything."""
    try:
        for host, statement in make:
            demo.sql(host, statement)
        yield
    finally:
        for host, statement in mend:
            demo.sql(host, statement)
        try:
            eventually(lambda: demo.verify().code == 0, seconds=60)
        except AssertionError:
            pytest.fail(f"{REPLICA} does not come back. What it wrote itself: {what_it_wrote(demo, REPLICA)}")


def what_it_wrote(demo, host: str) -> str:
    """Show what a server has in its binary logs from nobody else, and the events that may have written it."""
    events = demo.sql(host, "SELECT EVENT_SCHEMA, EVENT_NAME, STATUS, ORIGINATOR FROM information_schema.EVENTS")
    number, base = demo.sql(host, "SELECT @@server_id, @@log_bin_basename").split()
    own = f"grep --after-context=12 'server id {number} .*GTID'"
    return events + demo.on(host, "sh", "-c", f"mariadb-binlog --verbose {base}.[0-9]* | {own} | tail --lines=60")


def both_say(demo, *words):
    for play in (demo.verify(), demo.site()):
        assert play.code != 0, play.output
        assert all(word in play.output for word in words), play.output


def test_who_has_written_sees_it_at_once_and_others_when_the_replica_has_it(demo):
    message = f"hello {uuid.uuid4()}"
    with fault(demo, [(REPLICA, "STOP SLAVE SQL_THREAD")], [(REPLICA, "START SLAVE SQL_THREAD")]):
        posted = demo.request("/entries", {"name": "acceptance", "message": message})
        own = demo.request("/", headers={"Cookie": posted.headers["Set-Cookie"].split(";")[0]})
        assert (message in own.text, own.headers["X-Db-Read"]) == (True, "db1")
        others = demo.request("/")
        assert (message in others.text, others.headers["X-Db-Read"]) == (False, REPLICA)
    assert message in demo.request("/").text


def test_a_stopped_applier_is_red(demo):
    with fault(demo, [(REPLICA, "STOP SLAVE SQL_THREAD")], [(REPLICA, "START SLAVE SQL_THREAD")]):
        both_say(demo, REPLICA, "SQL thread")


def test_a_wrong_password_is_red(demo):
    secret = demo.secret("replication")
    wrong = "STOP SLAVE; CHANGE MASTER TO MASTER_PASSWORD='wrong'; START SLAVE"
    right = f"STOP SLAVE; CHANGE MASTER TO MASTER_PASSWORD='{secret}'; START SLAVE"
    with fault(demo, [(REPLICA, wrong)], [(REPLICA, right)]):
        both_say(demo, REPLICA, "1045")


def test_a_conflicting_row_is_red(demo):
    """A row on the replica alone, then the same key from the primary."""
    behind_the_primarys_back = "SET sql_log_bin=0; INSERT INTO webinfra.conflict VALUES (1)"
    demo.sql("db1", "CREATE TABLE IF NOT EXISTS webinfra.conflict (id INT PRIMARY KEY)")
    eventually(lambda: "conflict" in demo.sql(REPLICA, "SHOW TABLES FROM webinfra"))
    make = [(REPLICA, behind_the_primarys_back), ("db1", "INSERT INTO webinfra.conflict VALUES (1)")]
    mend = [
        (REPLICA, "SET sql_log_bin=0; DELETE FROM webinfra.conflict; START SLAVE"),
        ("db1", "DROP TABLE webinfra.conflict"),
    ]
    with fault(demo, make, mend):
        both_say(demo, REPLICA, "1062")


def test_a_writable_replica_is_red_and_until_it_is_closed_nobody_writes(demo):
    def answer():
        return demo.request("/entries", {"name": "acceptance", "message": f"hello {uuid.uuid4()}"}).status

    written = what_it_wrote(demo, REPLICA)
    with fault(demo, [(REPLICA, "SET GLOBAL read_only=0")], [(REPLICA, "SET GLOBAL read_only=1")]):
        eventually(lambda: answer() == 503)
        assert demo.request("/").status == 200
        play = demo.verify()
        assert play.code != 0
        assert "writable" in play.output
    eventually(lambda: answer() == 303)
    assert what_it_wrote(demo, REPLICA) == written, "a replica has to write nothing itself, open or not"


def test_a_healthy_pair_is_green(demo):
    play = demo.verify()
    assert play.code == 0, play.output
