# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.heartbeat import (
    Heartbeat,
    read_heartbeat,
    statements,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.plan import plan_primary
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Action, Plan
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import (
    ENGINES,
    FakeSession,
    dialect,
    status,
)

every_engine = pytest.mark.parametrize("engine", ENGINES)
NOTHING = Heartbeat(database="web`infra%s", table=False, writer=False, event=False, scheduler=False)
MADE = [statement.sql for statement in statements(dialect("mysql_9_7"), NOTHING)]
BODY = next(sql for sql in MADE if sql.startswith("CREATE DEFINER")).partition(" DO ")[2]
ROW = {
    "columns_found": 3,
    "rights": 4,
    "state": "ENABLED",
    "body": BODY,
    "definer": "webinfra_heartbeat@localhost",
    "every": "1 SECOND",
    "scheduler": "ON",
}


def read(**changes: object) -> Heartbeat:
    return read_heartbeat(FakeSession(dialect("mysql_9_7"), [[{**ROW, **changes}]]), "webinfra")


def test_a_heartbeat_that_beats_needs_nothing() -> None:
    assert read().missing == []
    assert statements(dialect("mysql_9_7"), read()) == ()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"columns_found": 0}, ["the table"]),
        ({"columns_found": 1}, ["the table"]),
        ({"rights": 3}, ["the account that writes"]),
        ({"state": "REPLICA_SIDE_DISABLED"}, ["the event"]),
        ({"state": None, "body": None, "definer": None, "every": None}, ["the event"]),
        ({"body": "BEGIN END"}, ["the event"]),
        ({"definer": "root@localhost"}, ["the event"]),
        ({"every": "1 MINUTE"}, ["the event"]),
        ({"scheduler": "OFF"}, ["the event scheduler"]),
    ],
    ids=[
        "no table",
        "an older table",
        "a right is gone",
        "a replica's",
        "no event",
        "another body",
        "root's",
        "slower",
        "no scheduler",
    ],
)
def test_what_is_missing_is_found_and_ensured(changes: dict[str, object], missing: list[str]) -> None:
    found = read(**changes)
    assert found.missing == missing
    assert statements(dialect("mysql_9_7"), found)
    assert found.kept.missing == []


def test_everything_is_asked_in_one_statement() -> None:
    asked = FakeSession(dialect("mariadb"), [[ROW]])
    read_heartbeat(asked, "webinfra")
    (statement,) = asked.asked
    assert statement.sql.count("%s") == len(statement.parameters)


def test_names_are_quoted_for_the_server_and_for_the_driver() -> None:
    assert any("`web``infra%%s`.`heartbeat`" in sql for sql in MADE)
    for statement in statements(dialect("mysql_9_7"), NOTHING):
        assert statement.sql.replace("%%", "").count("%") == len(statement.parameters)


def test_the_writer_cannot_write_on_a_closed_server_and_nobody_can_be_it() -> None:
    assert "CREATE USER IF NOT EXISTS %s@%s ACCOUNT LOCK" in MADE
    assert [sql.split(" ON ")[0] for sql in MADE if sql.startswith("GRANT")] == [
        "GRANT INSERT, SELECT, UPDATE",
        "GRANT EVENT",
    ]
    assert "@@global.read_only = 0" in BODY


@every_engine
def test_a_primary_that_is_open_already_gets_its_heartbeat(engine: str) -> None:
    decision = plan_primary(status(engine, "primary"), None, NOTHING)
    assert isinstance(decision, Plan)
    assert [step.action for step in decision.steps] == [Action.KEEP_HEARTBEAT]
    assert plan_primary(status(engine, "primary"), None, NOTHING.kept) == Plan()


@every_engine
def test_each_engine_is_asked_in_its_own_words_what_its_commits_wait_for(engine: str) -> None:
    words = dialect(engine)
    body = next(s.sql for s in statements(words, NOTHING) if s.sql.startswith("CREATE DEFINER"))
    assert f"rpl_semi_sync_{words.semi_sync_words[0]}_timeout" in body
    assert not {"{", "}"} & set(body)
    found = read_heartbeat(FakeSession(words, [[{**ROW, "body": body.partition(" DO ")[2]}]]), "webinfra")
    assert found.event
