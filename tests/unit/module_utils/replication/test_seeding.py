# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.filter.seeding_plan import seeding_plan
from ansible_collections.webinfra.stack.plugins.module_utils._replication.seeding.admission import (
    ExistingData,
    Offer,
    gtids_in,
    history_of,
    position_of,
    why_no_room,
    why_not,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.seeding.journal import Journal, Phase
from ansible_collections.webinfra.stack.plugins.module_utils._replication.seeding.need import plan_seedings
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import EngineError, ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server
from ansible_collections.webinfra.stack.plugins.module_utils._seeding.mariadb import take_history
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    dialect,
    link,
    status,
)

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ServerStatus

every_engine = pytest.mark.parametrize("engine", ENGINES)
GIBIBYTE = 1024**3


def primary(engine: str, *, purged: bool = True) -> Server:
    found = status(engine, "primary", connected_replicas=())
    history = found.executed if purged else found.executed.subtract(found.executed)
    found = status(engine, "primary", purged=history, read_only=False)
    return Server(name="db1", addresses=frozenset({link(engine, "replica").host}), status=found)


def nothing(engine: str) -> t.Any:
    executed = status(engine, "primary").executed
    return executed.subtract(executed)


def server(name: str, engine: str, **changes: t.Any) -> Server:
    """Return a server that is empty and follows nobody, with some changes."""
    values = {
        "link": None,
        "has_user_schemas": False,
        "connected_replicas": (),
        "executed": nothing(engine),
        "read_only": True,
        **changes,
    }
    return Server(name=name, status=status(engine, "replica", **values))


def replica(name: str, engine: str, **changes: t.Any) -> Server:
    """Return a server that follows the primary and has everything."""
    executed = status(engine, "primary").executed
    values = {"link": link(engine, "replica", lag_seconds=0), "executed": executed, "has_user_schemas": True}
    return server(name, engine, **{**values, "version": status(engine, "primary").version, **changes})


def plan(*servers: Server, forced: bool = False) -> list[tuple[str, str]]:
    return [(seeding.target, seeding.donor) for seeding in plan_seedings(servers, "db1", forced=forced)]


@every_engine
def test_an_empty_server_is_seeded_where_the_history_has_lost_its_beginning(engine: str) -> None:
    assert plan(primary(engine), server("db2", engine)) == [("db2", "db1")]


@every_engine
def test_an_empty_server_starts_from_the_beginning_where_that_is_still_there(engine: str) -> None:
    assert plan(primary(engine, purged=False), server("db2", engine)) == []
    assert plan(primary(engine, purged=False), server("db2", engine), forced=True) == [("db2", "db1")]


@every_engine
def test_a_healthy_replica_is_preferred_as_the_donor(engine: str) -> None:
    assert plan(primary(engine), server("db2", engine), replica("db3", engine)) == [("db2", "db3")]


@every_engine
def test_the_replica_that_is_the_least_behind_is_the_donor(engine: str) -> None:
    late = link(engine, "replica", lag_seconds=9)
    found = plan(primary(engine), server("db2", engine), replica("db3", engine, link=late), replica("db4", engine))
    assert found == [("db2", "db4")]


@every_engine
@pytest.mark.parametrize(
    "changes",
    [
        lambda engine: {"link": link(engine, "replica", sql_thread=ThreadState.STOPPED)},
        lambda engine: {"link": link(engine, "replica", lag_seconds=31)},
        lambda _engine: {"version": "9.9.9"},
        lambda _engine: {"read_only": False},
        lambda engine: {"executed": nothing(engine)},
    ],
    ids=["stopped", "far behind", "another version", "writable", "without what is purged"],
)
def test_a_replica_that_is_not_fit_is_no_donor(engine: str, changes: t.Any) -> None:
    other = replica("db3", engine, **changes(engine))
    assert ("db2", "db1") in plan(primary(engine), server("db2", engine), other)


@every_engine
def test_a_donor_may_have_what_the_primary_has_written_after_it_was_asked(engine: str) -> None:
    source = status(engine, "primary")
    own = {"mariadb": f"0-{source.server_id}-999999", "mysql_9": f"{source.server_uuid}:1-999999"}[engine[:7]]
    newer = source.executed.union(source.engine.parse_gtids(own))
    assert ("db2", "db3") in plan(primary(engine), server("db2", engine), replica("db3", engine, executed=newer))


@every_engine
def test_a_replica_that_works_is_left_alone(engine: str) -> None:
    assert plan(primary(engine), replica("db2", engine), forced=True) == []


@every_engine
def test_a_server_with_data_that_cannot_follow_is_seeded_only_when_asked_for(engine: str) -> None:
    gone = server("db2", engine, has_user_schemas=True)
    assert plan(primary(engine), gone) == []
    assert plan(primary(engine), gone, forced=True) == [("db2", "db1")]


@every_engine
def test_a_broken_replica_is_seeded_when_asked_for(engine: str) -> None:
    error = EngineError(code=1062, message="Duplicate entry")
    broken = replica("db2", engine, link=link(engine, "replica", sql_thread=ThreadState.STOPPED, sql_error=error))
    assert plan(primary(engine), broken) == []
    assert plan(primary(engine), broken, forced=True) == [("db2", "db1")]


@every_engine
def test_another_primary_and_a_server_that_cannot_be_asked_are_left_alone(engine: str) -> None:
    second = server("db2", engine, has_user_schemas=True, read_only=False)
    unseen = Server(name="db3", status=None)
    assert plan(primary(engine), second, unseen, forced=True) == []


@every_engine
def test_the_filter_says_who_is_seeded_by_whom_and_why(engine: str) -> None:
    first, second = primary(engine).status, server("db2", engine).status
    assert first is not None
    assert second is not None
    entries = [
        {"name": "db1", "host": "10.0.0.1", "replication": first.as_result()},
        {"name": "db2", "host": "10.0.0.2", "replication": second.as_result()},
    ]
    (found,) = seeding_plan(entries, "db1")
    assert (found["target"], found["address"], found["donor_address"]) == ("db2", "10.0.0.2", "10.0.0.1")
    assert "no longer in db1's binary logs" in found["reason"]


def offer(target: ServerStatus, **changes: t.Any) -> Offer:
    values = {"engine": target.engine.value, "version": target.version, "server_id": 99, "data_bytes": GIBIBYTE}
    return Offer(**{**values, **changes})


def refusal(target: ServerStatus, existing: ExistingData = ExistingData.KEEP_ASIDE, **changes: t.Any) -> str | None:
    found = why_not(target, offer(target, **changes), existing, free_bytes=2 * GIBIBYTE)
    return found.reason if found else None


@every_engine
def test_an_empty_server_with_room_is_seeded(engine: str) -> None:
    target = server("db2", engine).status
    assert target is not None
    assert refusal(target) is None


@every_engine
@pytest.mark.parametrize(
    ("state", "existing", "changes", "words"),
    [
        ({"read_only": False, "has_user_schemas": True}, ExistingData.REMOVE, {}, "a primary is never seeded"),
        ({"connected_replicas": ("10.0.0.9",)}, ExistingData.REMOVE, {}, "It feeds 10.0.0.9"),
        ({"has_user_schemas": True}, ExistingData.REFUSE, {}, "It holds data"),
        ({}, ExistingData.REMOVE, {"version": "1.2.3"}, "within one series"),
        ({}, ExistingData.REMOVE, {"engine": "postgres"}, "within one series"),
        ({"server_id": 99}, ExistingData.REMOVE, {}, "same server_id 99"),
        ({}, ExistingData.REMOVE, {"data_bytes": 2 * GIBIBYTE}, "2.70 GiB have to be free"),
    ],
    ids=["primary", "feeds another one", "data", "another series", "another engine", "same identity", "no room"],
)
def test_what_would_be_dangerous_is_refused(
    engine: str, state: dict[str, t.Any], existing: ExistingData, changes: dict[str, t.Any], words: str
) -> None:
    target = server("db2", engine, **state).status
    assert target is not None
    assert words in (refusal(target, existing, **changes) or "")


def test_room_is_needed_for_the_copy_and_the_logs() -> None:
    assert why_no_room(GIBIBYTE, int(1.61 * GIBIBYTE)) is None
    assert why_no_room(GIBIBYTE, int(1.59 * GIBIBYTE)) is not None


@pytest.mark.parametrize(
    ("recorded", "position"),
    [
        (["binlog.000002\t17025283\t0-181752863-39522\n"], "0-181752863-39522"),
        (["binlog.000001\t330\t\n", "SET GLOBAL gtid_slave_pos = '0-1-70,2-5-9';\n"], "0-1-70,2-5-9"),
        (["b.1\t330\t0-2-71\n", "SET GLOBAL gtid_slave_pos = '0-1-70';\n"], "0-2-71"),
        (["binlog.000001\t330\t\n"], ""),
    ],
    ids=["of a primary", "of a replica that has logged nothing", "of a replica that has logged more", "without GTID"],
)
def test_the_position_of_a_copy_is_read_from_what_the_backup_wrote(recorded: list[str], position: str) -> None:
    assert position_of(gtid for text in recorded for gtid in gtids_in(text)) == position


def journal(phase: Phase) -> Journal:
    return Journal(phase=phase, donor="10.0.0.1", directory="/d", aside="/d.aside", keep=True)


def test_a_journal_is_read_as_it_was_written() -> None:
    written = journal(Phase.FILLING).at(Phase.STARTING, position="0-1-2")
    assert Journal.from_text(written.to_text()) == written


@pytest.mark.parametrize("phase", Phase)
def test_a_server_is_kept_from_starting_only_while_its_directory_is_neither_old_nor_new(phase: Phase) -> None:
    assert journal(phase).server_forbidden is (phase in (Phase.EMPTYING, Phase.FILLING))


@pytest.mark.parametrize("phase", Phase)
def test_a_copy_that_is_not_complete_is_begun_again(phase: Phase) -> None:
    assert journal(phase).starts_over is (phase in (Phase.RECEIVING, Phase.PREPARING))


@every_engine
def test_an_empty_server_is_filled_where_another_server_than_the_primary_has_written(engine: str) -> None:
    """It may have been that server, before it lost its disk: it would skip what it has written itself."""
    source = primary(engine, purged=False)
    assert source.status is not None
    assert plan_seedings([source, server("db3", engine)], "db1", forced=False) == []
    other = "0-77-1" if source.status.engine.value == "mariadb" else "77777777-7777-7777-7777-777777777777:1"
    both = source.status.executed.union(source.status.engine.parse_gtids(other))
    written = Server(name="db1", addresses=source.addresses, status=dataclasses.replace(source.status, executed=both))
    (seeding,) = plan_seedings([written, server("db3", engine)], "db1", forced=False)
    assert "it is empty, and db1's binary logs hold what another server has written" in seeding.reason


def test_the_history_of_a_copy_names_all_servers_and_the_newest_last() -> None:
    assert history_of("0-3-445,0-1-119,1-9-7", "0-2-557") == "0-1-119,0-3-445,0-2-557,1-9-7"


@pytest.mark.parametrize(("found", "said"), [("", True), ("0-1-5", False)], ids=["once", "not again"])
def test_a_seeded_server_is_given_its_history(found: str, said: bool) -> None:
    asked = FakeSession(dialect("mariadb_11_8"), [[{"history": found}], []])
    take_history(asked, "0-1-119,0-2-557")
    assert ("SET GLOBAL gtid_binlog_state = %s" in [statement.sql for statement in asked.asked]) is said
