# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.reopening import (
    Cause,
    Done,
    Open,
    Stay,
    Terms,
    decide,
    objections,
    started_at,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.semi_sync import Durability
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Engine, ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, Topology
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.moves.building import (
    ENGINES,
    SILENT,
    gone,
    history,
    link,
    replica,
    status,
)

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.value)
EARLY, LATE = 1.0, 31.0
TERMS = Terms(grace_seconds=30)
STOPPED: dict[str, t.Any] = {"link_io_thread": ThreadState.STOPPED, "link_sql_thread": ThreadState.STOPPED}


def closed(engine: Engine = Engine.MARIADB, *, acknowledging: int = 0, **changes: t.Any) -> Server:
    """Return the server that has come back: closed, and following nobody."""
    found = status(engine, **changes)
    if found.semi_sync is not None:
        semi_sync = dataclasses.replace(found.semi_sync, acknowledging_replicas=acknowledging)
        found = dataclasses.replace(found, semi_sync=semi_sync)
    return Server(name="db1", status=found)


def decision(*others: Server, own: Server | None = None, waited: float = LATE, terms: Terms = TERMS) -> t.Any:
    return decide(Topology((own or closed(), *others)), "db1", waited, terms)


@every_engine
def test_it_opens_at_once_when_all_others_follow_it(engine: Engine) -> None:
    found = decision(replica("db2", engine, **SILENT), replica("db3", engine), own=closed(engine), waited=0)
    assert found == Open("Followed by db2, db3, and none has what it lacks")


def test_a_replica_that_lacks_something_confirms() -> None:
    assert isinstance(decision(replica("db2", executed=8), waited=0), Open)


def test_a_single_server_opens_at_once() -> None:
    assert decision(waited=0) == Open("There is no other server")


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        (Server(name="db1", status=status(read_only=False)), "It takes writes"),
        (Server(name="db1", status=status(read_only=False, unread="SHOW")), "It takes writes"),
        (replica("db1", source="db2"), "It follows db2:3306"),
        (closed(has_user_schemas=False), "It is empty: nothing was ever written here"),
    ],
    ids=["open", "open and hanging", "a replica", "empty"],
)
def test_there_is_nothing_to_decide_for(own: Server, reason: str) -> None:
    assert decision(gone("db2"), own=own) == Done(reason)


@pytest.mark.parametrize(
    "own",
    [gone("db1"), Server(name="db1", status=status(unread="SHOW REPLICA STATUS"))],
    ids=["it does not answer", "it hangs"],
)
def test_a_server_that_cannot_be_asked_stays_closed(own: Server) -> None:
    assert decision(replica("db2"), own=own).cause is Cause.NOT_ASKED


WAITING = [
    ([gone("db2"), gone("db3")], "alone"),
    ([replica("db2"), gone("db3")], "one is missing"),
    ([replica("db2"), Server(name="db3", status=status())], "one follows nobody"),
    ([replica("db2"), replica("db3", link_sql_thread=ThreadState.STOPPED)], "one does not apply"),
    ([replica("db2"), replica("db3", unread="SHOW REPLICA STATUS")], "one hangs"),
    ([replica("db2"), Server(name="db3", status=status(read_only=False, has_user_schemas=False))], "one is empty"),
]


@pytest.mark.parametrize("others", [others for others, _name in WAITING], ids=[name for _others, name in WAITING])
def test_within_the_grace_all_others_are_waited_for(others: list[Server]) -> None:
    assert decision(*others, waited=EARLY).cause is Cause.WAITING


@pytest.mark.parametrize(
    "others", [others for others, _name in WAITING[1:]], ids=[name for _others, name in WAITING[1:]]
)
def test_after_the_grace_most_are_enough(others: list[Server]) -> None:
    assert decision(*others) == Open("Followed by db2, and none has what it lacks")


@pytest.mark.parametrize(
    ("others", "opens"),
    [
        ([gone("db2")], False),
        ([gone("db2"), gone("db3")], False),
        ([replica("db2"), gone("db3"), gone("db4")], False),
        ([replica("db2"), replica("db3"), gone("db4")], True),
        ([replica("db2"), replica("db3"), gone("db4"), gone("db5")], True),
        ([replica("db2"), gone("db3"), gone("db4"), gone("db5")], False),
    ],
    ids=["1 of 2", "1 of 3", "2 of 4", "3 of 4", "3 of 5", "2 of 5"],
)
def test_half_of_the_servers_are_not_most(others: list[Server], opens: bool) -> None:
    assert isinstance(decision(*others), Open) is opens


def test_alone_it_says_whom_it_misses_and_what_to_do() -> None:
    found = decision(gone("db2"))
    assert found.cause is Cause.ALONE
    assert str(found) == (
        "db2 cannot be asked; without them this server is not the choice of most (it does not answer). "
        "What to do: bring db2 back, or take out of the inventory what is gone for good and run site"
    )


def received_more(engine: Engine) -> Server:
    return replica("db2", engine, executed=10, link_received=11)


@every_engine
@pytest.mark.parametrize("waited", [EARLY, LATE], ids=["early", "late"])
@pytest.mark.parametrize(
    ("make", "cause", "words"),
    [
        (lambda engine: Server(name="db2", status=status(engine, read_only=False)), Cause.OTHER_WRITER, "takes writes"),
        (lambda engine: replica("db2", engine, read_only=False), Cause.OTHER_WRITER, "takes writes"),
        (lambda engine: replica("db2", engine, executed=11), Cause.BEHIND, "has transactions that this server lacks"),
        (received_more, Cause.BEHIND, "has transactions that this server lacks"),
        (lambda engine: Server(name="db2", status=status(engine, 11)), Cause.BEHIND, "has transactions"),
        (lambda engine: replica("db2", engine, source="db3"), Cause.ABANDONED, "db2 follows db3:3306"),
        (lambda engine: replica("db2", engine, **STOPPED), Cause.ABANDONED, "was stopped and receives nothing"),
    ],
    ids=[
        "another one takes writes",
        "its replica takes writes",
        "a replica has executed more",
        "a replica has received more",
        "another closed one has more",
        "a replica follows another one",
        "a replica was stopped",
    ],
)
def test_one_objection_outweighs_all_that_confirm(
    engine: Engine, waited: float, make: t.Callable[[Engine], Server], cause: Cause, words: str
) -> None:
    others = (replica("db3", engine), make(engine), replica("db4", engine))
    found = decision(*others, own=closed(engine), waited=waited)
    assert (found.cause, words in found.reason) == (cause, True)


def test_what_a_replica_has_and_this_server_lacks_is_named() -> None:
    assert decision(replica("db2", executed=11)).reason.endswith("lacks: 0-1-11")


def test_another_engine_cannot_be_compared() -> None:
    assert decision(replica("db2", Engine.MYSQL)).cause is Cause.BEHIND


def test_the_worst_objection_comes_first() -> None:
    others = (replica("db2", source="db3"), Server(name="db3", status=status(read_only=False)))
    found = objections(Topology((closed(), *others)), "db1")
    assert [stay.cause for stay in found] == [Cause.OTHER_WRITER, Cause.ABANDONED]


def test_it_is_known_by_its_other_addresses() -> None:
    own = dataclasses.replace(closed(), addresses=frozenset({"10.0.0.1"}))
    assert isinstance(decision(replica("db2", source="10.0.0.1"), own=own, waited=0), Open)


@pytest.mark.parametrize("waited", [EARLY, LATE], ids=["early", "late"])
@pytest.mark.parametrize("acknowledging", [0, 1])
@pytest.mark.parametrize("durability", list(Durability), ids=lambda durability: durability.value)
def test_it_opens_only_when_commits_can_wait_as_they_are_meant_to(
    durability: Durability, acknowledging: int, waited: float
) -> None:
    terms = Terms(grace_seconds=30, durability=durability)
    found = decision(replica("db2"), own=closed(acknowledging=acknowledging), waited=waited, terms=terms)
    available_after_the_grace = durability is Durability.AVAILABLE and waited == LATE
    assert isinstance(found, Open) is (acknowledging == 1 or available_after_the_grace)
    assert isinstance(found, Open) or found.cause is Cause.NOT_ACKNOWLEDGED


def test_a_server_that_was_not_just_started_may_be_closed_by_a_switchover() -> None:
    terms = Terms(grace_seconds=30, just_started=False)
    assert decision(replica("db2"), waited=EARLY, terms=terms).cause is Cause.WAITING
    assert isinstance(decision(replica("db2"), waited=LATE, terms=terms), Open)


@pytest.mark.parametrize("waited", [EARLY, LATE], ids=["early", "late"])
def test_a_dead_host_is_one_reason_however_it_is_found_to_be_dead(waited: float) -> None:
    first, second = (
        decision(Server(name="db2", status=None, problem=problem), waited=waited)
        for problem in ("timed out", "no route to host")
    )
    assert first == second
    assert ("timed out" in str(first), "no route" in str(second)) == (True, True)


def test_this_server_is_one_reason_too() -> None:
    first, second = (decision(own=Server(name="db1", status=None, problem=problem)) for problem in ("one", "two"))
    assert first == second


def test_a_stay_says_what_to_do() -> None:
    stay = Stay(cause=Cause.ALONE, reason="It is alone", action="wait")
    assert str(stay) == "It is alone. What to do: wait"


def test_a_process_is_told_by_the_second_of_its_start() -> None:
    assert started_at(status(clock=1000.9, uptime_seconds=100)) == started_at(status(clock=1001.1, uptime_seconds=101))


def test_what_came_from_itself_is_nothing_that_it_lacks() -> None:
    behind = status(executed=5, link=link("db1", received=10), purged=history(Engine.MARIADB, 0))
    assert isinstance(decision(Server(name="db2", status=behind), waited=0), Open)


@pytest.mark.parametrize(
    ("other", "command"),
    [
        (Server(name="db2", status=status(read_only=False)), "webinfra.stack.rejoin -e rejoin_host=db1"),
        (replica("db2", executed=11), "webinfra.stack.failover -e failover_force=true"),
        (replica("db2", source="db3"), "webinfra.stack.rejoin -e rejoin_host=db1"),
    ],
    ids=["another one takes writes", "a replica has more", "a replica follows another one"],
)
def test_an_objection_names_the_command_that_ends_it(other: Server, command: str) -> None:
    assert command in decision(other).action
