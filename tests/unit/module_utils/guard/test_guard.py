# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._guard.guard import Clock, Guard, ServerRestartedError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    ConnectionFailedError,
    RefusedError,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.reopening import (
    Cause,
    Decision,
    Done,
    Open,
    Stay,
    Terms,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.moves.building import (
    gone,
    replica,
    status,
)

if t.TYPE_CHECKING:
    import collections.abc as c

UNREACHABLE = ConnectionFailedError("it cannot be reached", "look at the network")


class World:
    """Three servers, of which db1 has just been started, and a clock that runs only while somebody sleeps."""

    def __init__(self, *others: Server) -> None:
        self.now = 0.0
        self.booted = -5
        self.writable = False
        self.others = others
        self.opened: list[float] = []
        self.closed: list[float] = []
        self.looks: list[float] = []
        self.told: list[Decision] = []
        self.happenings: dict[float, c.Callable[[], None]] = {}
        self.failures: list[Exception] = []

    def at(self, moment: float, happening: c.Callable[[], None]) -> None:
        self.happenings[moment] = happening

    def show(self, *others: Server) -> None:
        self.others = others

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 1000, self.told
        for moment in sorted(moment for moment in self.happenings if moment <= self.now):
            self.happenings.pop(moment)()

    def read(self) -> Topology:
        self.looks.append(self.now)
        uptime = int(self.now - self.booted)
        own = status(read_only=not self.writable, uptime_seconds=uptime, clock=1_000_000 + self.now)
        return Topology((Server(name="db1", status=own), *self.others))

    def open(self, started: int) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if started != 1_000_000 + self.booted:
            raise ServerRestartedError
        self.writable = True
        self.opened.append(self.now)

    def close(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.writable = False
        self.closed.append(self.now)

    def run(self, **terms: t.Any) -> Done:
        clock = Clock(now=lambda: self.now, sleep=self.sleep)
        return Guard("db1", self, Terms(**terms), self.told.append, clock).run()

    @property
    def causes(self) -> list[Cause]:
        """Return why it stayed closed, each once in a row."""
        causes = [decision.cause for decision in self.told if isinstance(decision, Stay)]
        return [cause for number, cause in enumerate(causes) if number == 0 or causes[number - 1] is not cause]


BOTH = (replica("db2"), replica("db3"))
NOBODY = (gone("db2"), gone("db3"))


def test_a_primary_that_all_follow_is_opened_at_once() -> None:
    world = World(*BOTH)
    done = world.run()
    assert (world.opened, world.writable) == ([0.0], True)
    assert done == Done("It takes writes again. Followed by db2, db3, and none has what it lacks")
    assert [type(decision) for decision in world.told] == [Open, Done]


def test_after_the_opening_the_others_are_looked_at_for_some_seconds() -> None:
    world = World(*BOTH)
    world.run()
    assert world.looks[-1] == pytest.approx(6)


def test_a_replica_ends_it_without_anything_done() -> None:
    world = World(*BOTH)
    world.writable = True
    assert world.run() == Done("It takes writes")
    assert (world.opened, world.closed) == ([], [])


def test_alone_it_stays_closed_until_the_others_come_back() -> None:
    world = World(*NOBODY)
    world.at(300, lambda: world.show(*BOTH))
    world.run()
    assert world.causes == [Cause.WAITING, Cause.ALONE]
    assert 300 <= world.opened[0] <= 305


def test_it_asks_every_second_at_first_and_then_slower() -> None:
    world = World(*NOBODY)
    world.at(300, lambda: world.show(*BOTH))
    world.run()
    asked = [moment for moment in world.looks if moment < world.opened[0]]
    assert asked[:10] == [float(second) for second in range(10)]
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(5)


def test_a_server_that_somebody_else_opens_ends_it() -> None:
    world = World(*NOBODY)
    world.at(100, lambda: setattr(world, "writable", True))
    assert world.run() == Done("It takes writes")
    assert world.opened == []


def test_an_objection_is_waited_for_to_end() -> None:
    world = World(replica("db2", executed=99), replica("db3"))
    world.at(100, lambda: world.show(*BOTH))
    world.run()
    assert world.causes == [Cause.BEHIND]
    assert 100 <= world.opened[0] <= 105


def test_a_server_that_was_started_anew_is_left_to_the_next_guard() -> None:
    world = World(*NOBODY)
    world.at(100, lambda: setattr(world, "booted", 97))
    assert "was started anew" in world.run().reason
    assert world.opened == []


def test_a_server_that_starts_anew_before_the_opening_is_not_opened() -> None:
    world = World(*BOTH)
    world.failures = [ServerRestartedError()]
    assert "was started anew" in world.run().reason
    assert world.opened == []


def test_a_server_that_has_been_running_for_long_may_be_closed_by_a_switchover() -> None:
    world = World(*BOTH)
    world.booted = -3600
    world.at(3, lambda: setattr(world, "writable", True))
    assert world.run() == Done("It takes writes")
    assert (world.opened, world.causes) == ([], [Cause.WAITING])


@pytest.mark.parametrize(
    ("promoted", "cause"),
    [
        (Server(name="db2", status=status(read_only=False)), Cause.OTHER_WRITER),
        (replica("db2", source="db3"), Cause.ABANDONED),
        (replica("db2", link_io_thread=ThreadState.STOPPED), Cause.ABANDONED),
    ],
    ids=["takes writes", "follows another one", "is being promoted"],
)
@pytest.mark.parametrize("moment", [0, 4], ids=["at once", "seconds later"])
def test_a_server_that_was_opened_beside_another_one_is_closed_again(
    promoted: Server, cause: Cause, moment: float
) -> None:
    world = World(*BOTH)
    if moment:
        world.at(moment, lambda: world.show(promoted, replica("db3")))
    else:
        opening = world.open

        def opened(started: int) -> None:
            opening(started)
            world.show(promoted, replica("db3"))

        world.open = opened  # type: ignore[method-assign]
    world.at(50, lambda: setattr(world, "writable", True))
    world.run()
    assert world.closed == [moment]
    assert cause in world.causes
    assert any("opened and closed again" in str(decision) for decision in world.told)


def test_after_it_was_closed_again_it_is_not_opened_at_once() -> None:
    world = World(*BOTH)
    world.at(1, lambda: world.show(replica("db2", source="db3"), replica("db3")))
    world.at(3, lambda: world.show(*BOTH))
    world.run()
    assert world.closed == [1]
    assert world.opened[0] == 0
    assert world.opened[1] >= 31


def test_closing_is_tried_until_it_is_done() -> None:
    world = World(*BOTH)
    world.at(1, lambda: world.show(replica("db2", source="db3"), replica("db3")))
    world.at(0.5, lambda: world.failures.extend([UNREACHABLE, UNREACHABLE]))
    world.at(50, lambda: setattr(world, "writable", True))
    world.run()
    assert world.closed == [3]
    assert any("closing failed" in str(decision) for decision in world.told)


def test_a_role_that_somebody_gives_it_after_the_opening_is_left_alone() -> None:
    world = World(*BOTH)
    world.at(2, lambda: setattr(world, "writable", False))
    assert "another role" in world.run().reason
    assert world.closed == []


@pytest.mark.parametrize(
    ("failure", "cause"),
    [(RefusedError("no binary log"), Cause.REFUSED), (UNREACHABLE, Cause.NOT_ASKED)],
    ids=["refused", "it does not answer"],
)
def test_an_opening_that_fails_is_told_and_tried_again(failure: Exception, cause: Cause) -> None:
    world = World(*BOTH)
    world.failures = [failure]
    world.run()
    assert (world.causes, world.opened) == ([cause], [1.0])
