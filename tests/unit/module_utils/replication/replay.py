# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real servers answered, and a session that answers the same; used by the tests of all layers."""

from __future__ import annotations

import dataclasses
import functools
import json
import typing as t
from pathlib import Path

from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.mariadb import MariaDB
from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.mysql import MySQL

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.base import Dialect
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import Link, ServerStatus

Answers = list[list[dict[str, t.Any]]]
ENGINES = ("mariadb_10_11", "mariadb_11_8", "mysql_9_7")


class FakeSession:
    """Gives recorded answers in order and keeps what it was asked."""

    def __init__(self, dialect: Dialect, answers: Answers) -> None:
        self.dialect = dialect
        self.answers = list(answers)
        self.asked: list[Statement] = []

    def query(self, statement: Statement) -> list[Row]:
        self.asked.append(statement)
        return self.answers.pop(0)


def dialect(engine: str) -> Dialect:
    return MySQL() if engine.startswith("mysql") else MariaDB()


@functools.cache
def _recording(engine: str) -> dict[str, Answers]:
    text = (Path(__file__).parent / "rows" / f"{engine}.json").read_text(encoding="utf-8")
    recording: dict[str, Answers] = json.loads(text)
    return recording


def answers(engine: str, situation: str) -> Answers:
    return [list(rows) for rows in _recording(engine)[situation]]


def session(engine: str, *situations: str) -> FakeSession:
    return FakeSession(dialect(engine), [rows for situation in situations for rows in answers(engine, situation)])


def status(engine: str, situation: str, **changes: t.Any) -> ServerStatus:
    """Read a recorded server, with some values changed."""
    recorded = session(engine, situation)
    return dataclasses.replace(recorded.dialect.read_status(recorded), **changes)


def link(engine: str, situation: str, **changes: t.Any) -> Link:
    recorded = status(engine, situation).link
    assert recorded is not None
    return dataclasses.replace(recorded, **changes)
