# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Refusal
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import (
    InvalidTopologyError,
    Server,
    choose_primary,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, session, status

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Link, ServerStatus

every_engine = pytest.mark.parametrize("engine", ENGINES)


def history(engine: str, *, ahead: bool = False) -> t.Any:
    """Return the common history, or one with a transaction more."""
    return status(engine, "conflict" if ahead else "primary").executed


def server(engine: str, kind: str) -> ServerStatus | None:
    """Return a server from a few words: what it is, whom it follows, whether it is ahead."""
    words = kind.split()
    if "unreachable" in words:
        return None
    values: dict[str, t.Any] = {
        "executed": history(engine, ahead="ahead" in words),
        "read_only": "writable" not in words,
        "has_user_schemas": "empty" not in words,
        "connected_replicas": (),
        "link": None,
    }
    if "empty" in words:
        values["executed"] = values["executed"].subtract(values["executed"])
    if "behind" in words:
        values["executed"] = values["executed"].subtract(values["executed"])
    if "of" in words:
        values["link"] = follows(engine, words[words.index("of") + 1])
    return status(engine, "replica", **values)


def follows(engine: str, host: str) -> Link:
    return link(engine, "replica", host=host, server_id=None, server_uuid=None)


def choose(engine: str, kinds: dict[str, str]) -> str | Refusal:
    servers = [
        Server(name=name, addresses=frozenset({f"{name}.internal"}), status=server(engine, kind))
        for name, kind in kinds.items()
    ]
    return choose_primary(servers, "db1")


CHOSEN: list[tuple[str, str, dict[str, str]]] = [
    ("first run, closed by configuration", "db1", {"db1": "empty", "db2": "empty"}),
    ("first run, packages just installed", "db1", {"db1": "empty writable", "db2": "empty writable"}),
    ("first run, opened and interrupted", "db1", {"db1": "empty writable", "db2": "empty"}),
    ("accounts made, replica not yet", "db1", {"db1": "writable", "db2": "empty"}),
    ("the ordinary state", "db1", {"db1": "writable", "db2": "of db1.internal"}),
    ("known by its name", "db1", {"db1": "writable", "db2": "of db1"}),
    ("after a failover, old one closed", "db2", {"db1": "data", "db2": "writable ahead"}),
    ("after a failover, old one away", "db2", {"db1": "unreachable", "db2": "writable"}),
    ("after a failover, old one reinstalled", "db2", {"db1": "empty", "db2": "writable"}),
    ("after a failover, old one reinstalled and open", "db2", {"db1": "empty writable", "db2": "writable"}),
    ("after a switchover", "db2", {"db1": "of db2.internal", "db2": "writable"}),
    (
        "after a failover, one still follows the dead one",
        "db2",
        {"db1": "unreachable", "db2": "writable ahead", "db3": "of db1.internal"},
    ),
    ("primary restarted, replica waits for it", "db1", {"db1": "data", "db2": "of db1.internal"}),
    ("primary restarted after a switchover", "db2", {"db1": "of db2.internal", "db2": "data"}),
    ("primary restarted, replica behind", "db1", {"db1": "data", "db2": "behind of db1.internal"}),
    ("primary with data restarted, nobody follows yet", "db1", {"db1": "data", "db2": "empty"}),
    ("an errant write on its own replica", "db1", {"db1": "writable", "db2": "ahead of db1.internal"}),
    ("a single server", "db1", {"db1": "empty"}),
]

REFUSED: list[tuple[str, str, dict[str, str]]] = [
    ("two primaries", "db1, db2 all take writes", {"db1": "writable", "db2": "writable"}),
    ("initial follows one that is away", "bring db2 back", {"db1": "of db2.internal", "db2": "unreachable"}),
    ("initial follows a stranger", "do not agree", {"db1": "of elsewhere", "db2": "empty"}),
    ("they follow each other", "do not agree", {"db1": "of db2.internal", "db2": "of db1.internal"}),
    ("the followed one lacks something", "promote db2", {"db1": "data", "db2": "ahead of db1.internal"}),
    ("initial reinstalled, data elsewhere", "db2 holds data that db1 lacks", {"db1": "empty", "db2": "data"}),
    ("another closed server has more", "db2 holds data that db1 lacks", {"db1": "data", "db2": "data ahead"}),
    ("nobody writes and one is away", "bring db2 back", {"db1": "data", "db2": "unreachable"}),
    ("initial empty and one is away", "bring db2 back", {"db1": "empty writable", "db2": "unreachable"}),
    (
        "the writable one was overtaken",
        "bring db2.internal back",
        {"db1": "writable", "db2": "unreachable", "db3": "ahead of db2.internal"},
    ),
    (
        "a chain without its head",
        "do not agree",
        {"db1": "of elsewhere", "db2": "of db1.internal", "db3": "of db1.internal"},
    ),
]


@every_engine
@pytest.mark.parametrize(("name", "kinds"), [case[1:] for case in CHOSEN], ids=[case[0] for case in CHOSEN])
def test_the_primary_is_found(engine: str, name: str, kinds: dict[str, str]) -> None:
    assert choose(engine, kinds) == name


@every_engine
@pytest.mark.parametrize(("words", "kinds"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_doubtful_topology_is_refused_with_what_to_do(engine: str, words: str, kinds: dict[str, str]) -> None:
    decision = choose(engine, kinds)
    assert isinstance(decision, Refusal), decision
    assert words in decision.reason
    assert "What to do: " in decision.reason


@every_engine
def test_what_a_replica_has_received_and_not_applied_counts_as_well(engine: str) -> None:
    received = link(engine, "conflict", sql_error=None, host="db1", server_id=None, server_uuid=None)
    servers = [
        Server(name="db1", status=server(engine, "data")),
        Server(name="db2", status=status(engine, "replica", executed=history(engine), link=received)),
    ]
    decision = choose_primary(servers, "db1")
    assert isinstance(decision, Refusal), "the recorded conflict has been received"
    assert "lacks transactions that db2 has" in decision.reason


@every_engine
def test_a_primary_that_nobody_receives_from_any_more_is_not_opened(engine: str) -> None:
    """As a failover leaves them that was killed, or that still goes on."""
    stopped = link(engine, "replica", host="db1", io_thread=ThreadState.STOPPED, established=True)
    servers = [
        Server(name="db1", status=server(engine, "data")),
        Server(name="db2", status=status(engine, "replica", executed=history(engine), link=stopped)),
    ]
    decision = choose_primary(servers, "db1")
    assert isinstance(decision, Refusal)
    assert "A failover may be under way" in decision.reason


@pytest.mark.parametrize(
    "names", [[], ["db2"], ["db1", "db1"]], ids=["no servers", "initial is not listed", "listed twice"]
)
def test_an_impossible_list_is_refused(names: list[str]) -> None:
    with pytest.raises(InvalidTopologyError, match="initial primary 'db1'"):
        choose_primary([Server(name=name, status=None) for name in names], "db1")


def test_another_port_of_the_same_host_is_another_server() -> None:
    second = Server(name="db1", addresses=frozenset({"db1.internal"}), port=3307, status=None)
    assert not second.is_source_of(follows("mysql_9_7", "db1.internal"))


@every_engine
def test_nothing_is_decided_from_a_replica_that_cannot_say_whom_it_follows(engine: str) -> None:
    asked = session(engine, "hanging")
    hanging = asked.dialect.read_what_answers(asked, "SHOW SLAVE STATUS")
    closed = status(engine, "primary", read_only=True)
    decision = choose_primary([Server(name="db1", status=closed), Server(name="db2", status=hanging)], "db1")
    assert isinstance(decision, Refusal)
    assert "db2 follows one that it does not name" in decision.reason
    opened = status(engine, "primary", executed=closed.executed.union(hanging.executed))
    assert choose_primary([Server(name="db1", status=opened), Server(name="db2", status=hanging)], "db2") == "db1"


@every_engine
@pytest.mark.parametrize("own", [True, False], ids=["of the primary", "of another one"])
def test_what_a_replica_of_a_replica_had_a_moment_later_is_told_from_what_the_primary_lacks(
    engine: str, own: bool
) -> None:
    """A replica that was away during a switchover still follows the old primary, which passes everything on."""
    first = status(engine, "primary", read_only=False, connected_replicas=())
    origin = first.origin if own else {"mysql": "99999999-9999-9999-9999-999999999999"}.get(first.engine.value, "99")
    text = f"{origin}:999999" if first.engine.value == "mysql" else f"0-{origin}-999999"
    later = first.executed.union(first.engine.parse_gtids(text))
    servers = [
        Server(name="db1", addresses=frozenset({"db1.internal"}), status=first),
        Server(
            name="db2",
            addresses=frozenset({"db2.internal"}),
            status=status(engine, "replica", executed=later, link=follows(engine, "elsewhere")),
        ),
    ]
    decision = choose_primary(servers, "db1")
    assert (decision == "db1") is own, decision
