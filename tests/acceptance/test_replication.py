# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Green means that replication works: each fault is made by hand, and both verify and the site must be red."""

from __future__ import annotations

import contextlib

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
        eventually(lambda: demo.verify().code == 0, seconds=60)


def both_say(demo, *words):
    for play in (demo.verify(), demo.site()):
        assert play.code != 0, play.output
        assert all(word in play.output for word in words), play.output


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
    behind_the_primarys_back = (
        "SET sql_log_bin=0; SET GLOBAL read_only=0; INSERT INTO webinfra.conflict VALUES (1); SET GLOBAL read_only=1"
    )
    demo.sql("db1", "CREATE TABLE IF NOT EXISTS webinfra.conflict (id INT PRIMARY KEY)")
    eventually(lambda: "conflict" in demo.sql(REPLICA, "SHOW TABLES FROM webinfra"))
    make = [(REPLICA, behind_the_primarys_back), ("db1", "INSERT INTO webinfra.conflict VALUES (1)")]
    mend = [
        (REPLICA, "SET sql_log_bin=0; DELETE FROM webinfra.conflict; START SLAVE"),
        ("db1", "DROP TABLE webinfra.conflict"),
    ]
    with fault(demo, make, mend):
        both_say(demo, REPLICA, "1062")


def test_a_writable_replica_is_red(demo):
    with fault(demo, [(REPLICA, "SET GLOBAL read_only=0")], [(REPLICA, "SET GLOBAL read_only=1")]):
        play = demo.verify()
        assert play.code != 0
        assert "writable" in play.output


def test_a_healthy_pair_is_green(demo):
    play = demo.verify()
    assert play.code == 0, play.output
