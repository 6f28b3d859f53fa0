# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.conductor import LogEntry
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.loss import Loss
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.outcome import Moved
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.steps import (
    Act,
    MovePlan,
    MoveStep,
    Stage,
)

OPENING = MoveStep("db2", Act.OPEN_WRITES, "it is the primary from here on")
LOG = (LogEntry(step=OPENING, began=10.5, ended=10.75), LogEntry(step=OPENING, began=10.5, ended=10.6))
FINISHING = MovePlan(former=None, primary="db2", stages=(Stage("gather", (OPENING,)),), predecessor="db1")


def moved(
    former: str | None = "db1", *, stages: tuple[Stage, ...] = (Stage("open", (OPENING,)),), **facts: t.Any
) -> Moved:
    return Moved(plan=MovePlan(former=former, primary="db2", stages=stages), before={}, after={}, began=10.0, **facts)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (moved(log=LOG, writes_closed_ms=34.4), "db2 took the writes over from db1, which were closed for 34 ms"),
        (moved(), "db2 would take the writes over from db1"),
        (
            moved(log=LOG, loss=Loss(certain=True, transactions=0, reason="Nothing is lost")),
            "db2 took the writes over from db1. Nothing is lost",
        ),
        (moved(None, log=LOG), "db2 took the writes: a move that was interrupted is finished"),
        (
            Moved(plan=FINISHING, before={}, after={}, log=LOG, loss=Loss(certain=True, transactions=0, reason="Kept")),
            "db2 took the writes over from db1: a move that was interrupted is finished. Kept",
        ),
        (moved(None, stages=()), "db2 takes the writes already, and nothing had to be done"),
        (moved(log=LOG, failure="The move has failed"), "The move has failed"),
    ],
    ids=[
        "switchover",
        "prediction",
        "failover",
        "rest of a killed run",
        "rest of a killed failover",
        "nothing to do",
        "failure",
    ],
)
def test_the_summary_says_what_came_of_it(outcome: Moved, words: str) -> None:
    assert outcome.as_result()["summary"] == words


def test_the_time_goes_from_the_beginning_to_the_end_of_the_last_step() -> None:
    assert moved(log=LOG).as_result()["took_ms"] == 750.0
    assert moved().as_result()["took_ms"] == 0.0
