# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.rejoining.plan import (
    Rejoining,
    Way,
    plan_rejoining,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import EngineError, ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Refusal
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.moves.building import (
    BROKEN,
    ENGINES,
    gone,
    history,
    primary,
    replica,
    status,
)

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Engine

every_engine = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.value)


def changed(server: Server, **changes: t.Any) -> Server:
    assert server.status is not None
    return dataclasses.replace(server, status=dataclasses.replace(server.status, **changes))


def new_primary(engine: Engine, **changes: t.Any) -> Server:
    """Return db2, which has taken over after db1 had written ten transactions."""
    both = history(engine, 10).union(history(engine, 30, origin=9))
    identity = {
        "server_id": 9,
        "server_uuid": "99999999-9999-9999-9999-999999999999" if engine.value == "mysql" else None,
    }
    return changed(primary(engine, name="db2"), **{**identity, "executed": both, **changes})


def old_primary(engine: Engine, executed: int = 10, **changes: t.Any) -> Server:
    return Server(name="db1", status=status(engine, executed, **changes))


def plan(*servers: Server, chosen: tuple[str, ...] | None = None, died: tuple[str, ...] = ()) -> dict[str, Rejoining]:
    names = [server.name for server in servers] if chosen is None else chosen
    decision = plan_rejoining(servers, servers[0].name, names, died)
    assert not isinstance(decision, Refusal), decision
    return {entry.server: entry for entry in decision}


@every_engine
def test_an_old_primary_without_transactions_of_its_own_follows(engine: Engine) -> None:
    found = plan(old_primary(engine), new_primary(engine), replica("db3", engine, source="db2"))
    assert {name: entry.way for name, entry in found.items()} == {
        "db1": Way.FOLLOW,
        "db2": Way.PRIMARY,
        "db3": Way.REPLICA,
    }


@every_engine
def test_an_old_primary_with_transactions_of_its_own_is_seeded_from_the_healthy_replica(engine: Engine) -> None:
    found = plan(old_primary(engine, 15), new_primary(engine), replica("db3", engine, source="db2"))
    assert (found["db1"].way, found["db1"].count, found["db1"].donor) == (Way.SEED, 5, "db3")
    assert found["db1"].own == ("0-1-15" if engine.value == "mariadb" else "11111111-1111-1111-1111-111111111111:11-15")


@every_engine
def test_a_server_that_died_when_it_began_to_follow_is_seeded_although_nothing_is_its_own(engine: Engine) -> None:
    found = plan(old_primary(engine), new_primary(engine), replica("db3", engine, source="db2"), died=("db1", "db2"))
    assert {name: entry.way for name, entry in found.items()} == {
        "db1": Way.SEED,
        "db2": Way.PRIMARY,
        "db3": Way.REPLICA,
    }
    assert (found["db1"].own, found["db1"].donor) == ("", "db3")
    assert found["db1"].reason == "it died when it began to follow"


@every_engine
def test_a_replica_that_saw_newer_transactions_of_the_primary_has_none_of_its_own(engine: Engine) -> None:
    later = history(engine, 10).union(history(engine, 40, origin=9))
    found = plan(new_primary(engine), changed(replica("db3", engine, source="db2"), executed=later))
    assert found["db3"].way is Way.REPLICA


@every_engine
def test_a_replica_with_a_row_of_its_own_is_seeded_although_it_runs(engine: Engine) -> None:
    found = plan(new_primary(engine), replica("db3", engine, source="db2", executed=11))
    assert (found["db3"].way, found["db3"].count) == (Way.SEED, 1)


@every_engine
@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({"source": "db1"}, Way.FOLLOW),
        ({"link_io_thread": ThreadState.STOPPED}, Way.FOLLOW),
        ({"link_io_thread": ThreadState.CONNECTING, "link_io_error": EngineError(code=2003, message="no")}, Way.FOLLOW),
        ({"link_io_thread": ThreadState.STOPPED, "link_io_error": EngineError(code=1236, message="gone")}, Way.SEED),
        ({"link_sql_thread": ThreadState.STOPPED, "link_sql_error": BROKEN}, Way.SEED),
        ({"read_only": False}, Way.FOLLOW),
    ],
    ids=["of the old primary", "stopped", "cut off", "purged at its source", "broken", "open"],
)
def test_a_replica_that_does_not_follow_comes_back(engine: Engine, changes: dict[str, t.Any], way: Way) -> None:
    found = plan(new_primary(engine), replica("db3", engine, **{"source": "db2", **changes}))
    assert found["db3"].way is way


@every_engine
def test_a_server_whose_transactions_were_purged_is_seeded_and_has_nothing_to_save(engine: Engine) -> None:
    source = new_primary(engine, purged=history(engine, 10))
    found = plan(old_primary(engine, 5), source)
    assert (found["db1"].way, found["db1"].own) == (Way.SEED, "")


@every_engine
def test_an_empty_server_is_filled_where_it_may_have_been_a_primary_itself(engine: Engine) -> None:
    """It would skip, in the logs of its successor, all that it has written itself before its disk was lost."""
    empty = old_primary(engine, 0, has_user_schemas=False)
    assert plan(empty, new_primary(engine))["db1"].way is Way.SEED
    alone = new_primary(engine, executed=history(engine, 30, origin=9))
    assert plan(empty, alone)["db1"].way is Way.FOLLOW


@every_engine
def test_those_that_were_not_asked_for_and_those_that_are_gone_are_left(engine: Engine) -> None:
    found = plan(old_primary(engine, 15), new_primary(engine), gone("db3"), chosen=("db3",))
    assert (found["db1"].way, found["db1"].reason) == (Way.LEAVE, "it was not asked for")
    assert (found["db3"].way, found["db3"].reason) == (Way.LEAVE, "it cannot be asked")


@every_engine
def test_a_server_that_is_still_followed_comes_last(engine: Engine) -> None:
    behind = replica("db3", engine, source="db1")
    assert list(plan(old_primary(engine, 15), new_primary(engine), behind)) == ["db2", "db3", "db1"]


def refused(*servers: Server, chosen: tuple[str, ...] = ()) -> str:
    decision = plan_rejoining(servers, servers[0].name, chosen)
    assert isinstance(decision, Refusal), decision
    return decision.reason


@every_engine
def test_of_two_primaries_the_one_that_nobody_follows_is_to_be_closed(engine: Engine) -> None:
    both = old_primary(engine, 15, read_only=False), new_primary(engine)
    told = refused(*both, replica("db3", engine, source="db2"))
    assert "ansible -i INVENTORY db1 --become -m webinfra.stack.database_fence" in told
    assert "database_fence" in refused(*both)


@every_engine
def test_without_a_primary_nobody_comes_back(engine: Engine) -> None:
    closed = new_primary(engine, read_only=True)
    assert "webinfra.stack.site" in refused(closed, replica("db3", engine, source="db2"))


@every_engine
def test_a_name_that_is_none_of_the_servers_is_refused(engine: Engine) -> None:
    assert "db7 is none of the database servers" in refused(new_primary(engine), chosen=("db7",))
