# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import threading
import typing as t
from dataclasses import dataclass, field

import pymysql
import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._guard.guard import Clock, Guard
from ansible_collections.webinfra.stack.plugins.module_utils._guard.servers import Members
from ansible_collections.webinfra.stack.plugins.module_utils._guard.settings import Settings
from ansible_collections.webinfra.stack.plugins.module_utils._replication.convergence import PrimarySettings
from ansible_collections.webinfra.stack.plugins.module_utils._replication.reopening import (
    Cause,
    Decision,
    Done,
    Stay,
    Terms,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.semi_sync import Durability
from ansible_collections.webinfra.stack.plugins.module_utils._sql.connection import Login
from ansible_collections.webinfra.stack.plugins.module_utils._sql.survey import Target
from ansible_collections.webinfra.stack.tests.integration.servers import PASSWORD
from ansible_collections.webinfra.stack.tests.waiting import eventually

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.tests.integration.trio import Trio

AT_FIRST = {"db1": "primary", "db2": "replica of db1", "db3": "replica of db1"}
GRACE = 3.0


class StoppedError(Exception):
    """The unit was stopped."""


@dataclass
class Running:
    """A guard that asks in the background, and what it has said."""

    said: list[Decision] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def sleep(self, seconds: float) -> None:
        if self.stopped.wait(seconds):
            raise StoppedError

    def watch(self, trio: Trio, name: str, members: Members) -> None:
        with members, contextlib.suppress(StoppedError):
            Guard(name, members, settings(trio, name).terms, self.said.append, Clock(sleep=self.sleep)).run()
        self.ended.set()

    def says(self, cause: Cause) -> str:
        """Wait until it stays closed for this reason, and return its words."""
        return eventually(lambda: next((str(stay) for stay in self.stays() if stay.cause is cause), None), seconds=20)

    def stays(self) -> list[Stay]:
        return [decision for decision in self.said if isinstance(decision, Stay)]

    def done(self) -> str:
        """Wait until nothing is left to decide, and return why."""
        assert self.ended.wait(30), self.said
        assert isinstance(self.said[-1], Done), self.said
        return self.said[-1].reason


def settings(trio: Trio, own: str) -> Settings:
    def login(name: str) -> Login:
        user, password = ("root", "secret") if name == own else ("monitoring", PASSWORD)
        return Login(
            host=trio.addresses[name],
            user=user,
            password=password,
            ca_file=str(trio.ca_file),
            connect_timeout=1,
            statement_timeout=10,
        )

    return Settings(
        own=own,
        targets=tuple(
            Target(name=name, addresses=frozenset({trio.addresses[name]}), login=login(name)) for name in trio.addresses
        ),
        terms=Terms(grace_seconds=GRACE, durability=Durability.NO_LOSS),
        primary=PrimarySettings(durability=Durability.NO_LOSS, replicas=2, heartbeat_database="webinfra"),
    )


@contextlib.contextmanager
def guarded(trio: Trio, name: str = "db1", members: type[Members] = Members) -> c.Iterator[Running]:
    """Do what the start of a server does."""
    running = Running()
    asking = threading.Thread(target=running.watch, args=(trio, name, members(settings(trio, name))))
    asking.start()
    try:
        yield running
    finally:
        running.stopped.set()
        asking.join()


def silence(trio: Trio) -> None:
    """Let nothing be on its way: a MariaDB primary that dies drops what its log on the disk does not call committed.

    That is the last transaction, even when it was acknowledged: it is with the replicas, so nothing is lost by it.
    """
    trio.sql("db1", "SET GLOBAL event_scheduler = OFF")
    trio.agree()
    trio.sql("db1", "FLUSH LOCAL ENGINE LOGS")


def restarted(trio: Trio, *names: str) -> None:
    for name in names:
        trio.kill(name)
    for name in names:
        trio.revive(name)


def test_a_primary_that_was_killed_opens_itself_and_nothing_acknowledged_is_lost(trio: Trio) -> None:
    with trio.written_to() as writers:
        writers.go_on(100)
    silence(trio)
    restarted(trio, "db1")
    assert trio.open_servers() == []
    with guarded(trio) as guard:
        assert "Followed by db2, db3" in guard.done()
    assert trio.lost(writers) == set()
    with contextlib.closing(trio.client("db1")) as client, client.cursor() as cursor:
        cursor.execute("INSERT INTO app_db.t (i) VALUES (-1)")
    trio.agree()
    assert trio.roles() == AT_FIRST
    assert trio.status("db1")["semi_sync"]["source_enabled"]
    trio.await_beat_of("db1")


def test_all_servers_that_were_restarted_at_once_end_as_they_were(trio: Trio) -> None:
    silence(trio)
    restarted(trio, "db1", "db2", "db3")
    assert trio.open_servers() == []
    with guarded(trio, "db2") as second, guarded(trio, "db3") as third, guarded(trio) as first:
        assert "It takes writes again" in first.done()
        assert second.done() == third.done() == f"It follows {trio.addresses['db1']}:3306"
    assert trio.roles() == AT_FIRST


def test_alone_it_stays_closed_until_the_others_come_back(trio: Trio) -> None:
    silence(trio)
    trio.kill("db2")
    trio.kill("db3")
    restarted(trio, "db1")
    with guarded(trio) as guard:
        assert "db2 cannot be asked" in guard.says(Cause.WAITING)
        assert "bring db2, db3 back" in guard.says(Cause.ALONE)
        assert trio.open_servers() == []
        trio.revive("db2")
        assert "Followed by db2," in guard.done()
    trio.revive("db3")
    assert trio.open_servers() == ["db1"]


def test_it_stays_closed_while_a_replica_has_more(trio: Trio) -> None:
    trio.kill("db1")
    trio.errant_write("db2")
    trio.revive("db1")
    with guarded(trio) as guard:
        assert "db2 has transactions that this server lacks" in guard.says(Cause.BEHIND)
        assert not guard.ended.wait(GRACE + 2)
    assert trio.open_servers() == []


def test_it_stays_closed_when_another_server_was_promoted_meanwhile(trio: Trio) -> None:
    trio.kill("db1")
    assert trio.move("failover", target="db2", durability="no_loss")["primary"] == "db2"
    trio.revive("db1")
    with guarded(trio) as guard:
        assert "db2 takes writes" in guard.says(Cause.OTHER_WRITER)
        assert not guard.ended.wait(GRACE + 2)
    assert trio.open_servers() == ["db2"]


def test_a_failover_that_has_begun_keeps_it_closed(trio: Trio) -> None:
    silence(trio)
    trio.kill("db1")
    trio.stop("db2", "IO_THREAD")
    trio.revive("db1")
    with guarded(trio) as guard:
        assert "db2 was stopped" in guard.says(Cause.ABANDONED)
        assert not guard.ended.wait(GRACE + 2)
        assert trio.open_servers() == []
        trio.sql("db2", f"START {'REPLICA' if trio.image.mysql else 'SLAVE'}")
        assert "Followed by db2, db3" in guard.done()
    assert trio.roles() == AT_FIRST


@pytest.mark.parametrize("alone", [False, True], ids=["a replica is left", "a commit waits for replicas that are gone"])
def test_a_server_that_was_opened_beside_a_new_primary_is_closed_again(trio: Trio, alone: bool) -> None:
    clients: list[pymysql.connections.Connection[t.Any]] = []
    writing: list[threading.Thread] = []
    refused: list[Exception] = []

    def write(client: pymysql.connections.Connection[t.Any]) -> None:
        try:
            with client.cursor() as cursor:
                cursor.execute("INSERT INTO app_db.t (i) VALUES (-1)")
        except pymysql.MySQLError as exc:
            refused.append(exc)

    class Raced(Members):
        """Promotes db2 in the very moment in which db1 opens."""

        def open(self, started: int) -> None:
            super().open(started)
            for name in ("db2", "db3") if alone else ("db2",):
                trio.forget_source(name)
            if alone:
                clients.append(trio.client("db1"))
                writing.append(threading.Thread(target=write, args=(clients[0],)))
                writing[0].start()
                eventually(lambda: waiting_commits(trio) == 1, seconds=5)
            trio.sql("db2", "SET GLOBAL read_only = 0")

    silence(trio)
    restarted(trio, "db1")
    with guarded(trio, members=Raced) as guard:
        assert "opened and closed again: db2 takes writes" in eventually(
            lambda: next((str(stay) for stay in guard.stays() if "closed again" in str(stay)), None), seconds=20
        )
        assert trio.open_servers() == ["db2"]
        assert not guard.ended.wait(GRACE + 1)
    for thread in writing:
        thread.join(timeout=10)
    assert len(refused) == len(writing)
    assert trio.open_servers() == ["db2"]


def waiting_commits(trio: Trio) -> int:
    """Count the application's statements that have not ended for a second; who leads their group says for what."""
    running = "SELECT COUNT(*) AS waiting FROM information_schema.PROCESSLIST WHERE USER = 'app'"
    return int(trio.sql("db1", f"{running} AND COMMAND = 'Query' AND TIME >= 1")[0]["waiting"])


def test_a_server_that_is_killed_once_more_is_left_to_the_guard_of_its_next_start(trio: Trio) -> None:
    silence(trio)
    trio.kill("db2")
    trio.kill("db3")
    restarted(trio, "db1")
    with guarded(trio) as guard:
        guard.says(Cause.ALONE)
        restarted(trio, "db1")
        assert "was started anew" in guard.done()
    assert trio.open_servers() == []


def test_a_server_that_takes_writes_and_one_that_follows_are_left_alone(trio: Trio) -> None:
    before = {name: trio.status(name) for name in trio.addresses}
    with guarded(trio) as first, guarded(trio, "db2") as second:
        assert first.done() == "It takes writes"
        assert second.done() == f"It follows {trio.addresses['db1']}:3306"
    assert [trio.status(name)["source"] for name in before] == [status["source"] for status in before.values()]
    assert trio.roles() == AT_FIRST
