# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest
from guest_book.database import Identity
from guest_book.health import HealthCheck, judge

from .fakes import FakeEndpoint, FakeServer

PRIMARY = Identity(server="db1", writable=True)
REPLICA = Identity(server="db2", writable=False)
GONE = "no server answers"


@pytest.mark.parametrize(
    ("write", "read", "ready", "writer", "reader"),
    [
        (PRIMARY, REPLICA, True, "db1", "db2"),
        (PRIMARY, PRIMARY, True, "db1", "db1"),
        (GONE, REPLICA, True, None, "db2"),
        (REPLICA, REPLICA, True, None, "db2"),
        (PRIMARY, GONE, True, "db1", "db1"),
        (GONE, GONE, False, None, None),
    ],
    ids=["both", "no replica", "no primary", "demoted", "read endpoint gone", "nothing"],
)
def test_a_web_server_is_ready_as_long_as_it_can_read(write, read, ready, writer, reader):
    health = judge(write=write, read=read)
    assert (health.ready, health.write, health.read) == (ready, writer, reader)


def test_a_missing_primary_is_reported_although_the_server_is_ready():
    assert judge(write=REPLICA, read=REPLICA).problems == ("db2 is behind the write endpoint and takes no writes",)


def test_a_check_asks_both_endpoints():
    check = HealthCheck(writes=FakeEndpoint(FakeServer("db1")), reads=FakeEndpoint(FakeServer("db2", writable=False)))
    assert check.examine().as_result() == {"ready": True, "write": "db1", "read": "db2", "problems": []}


def test_a_frozen_server_does_not_hold_a_check_up():
    class Frozen(FakeServer):
        def identity(self):
            time.sleep(1.5)
            return super().identity()

    check = HealthCheck(writes=FakeEndpoint(Frozen()), reads=FakeEndpoint(FakeServer("db2", writable=False)))
    begin = time.monotonic()
    health = check.examine()
    assert time.monotonic() - begin < 1.2
    assert (health.ready, health.problems) == (True, ("the write endpoint did not answer within 0.9 seconds",))
