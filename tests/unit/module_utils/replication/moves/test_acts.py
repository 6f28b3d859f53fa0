# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.acts import Orders, Stand, do
from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.steps import Act, MoveStep

APPROACH = MoveStep("db2", Act.APPROACH, "the less it lacks when writes close, the shorter the gap", "db1")


class Pair:
    """A primary, and a target that takes its time to apply what was written since it was last asked."""

    def __init__(self, lags: t.Iterable[float]) -> None:
        self.lags = iter(lags)
        self.now = 0.0
        self.waits = 0
        self.dialect = types.SimpleNamespace(read_position="position", wait_for_position="wait")

    def query(self, statement: t.Any) -> list[dict[str, t.Any]]:
        if statement.sql == "wait":
            self.now += next(self.lags)
            self.waits += 1
        return [{"position": "0-1-1", "late": 0}]

    def approach(self) -> None:
        orders = Orders(kind="switchover", sources={})
        session = t.cast("t.Any", self)
        do(
            APPROACH,
            Stand(orders=orders, session=lambda _name: session, record=t.cast("t.Any", None), clock=self.clock),
        )

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "lags",
    [[0.01], [0.3, 0.2, 0.19, 0.01], [0.2, 0.4, 0.015]],
    ids=["near already", "slowly nearer", "busy for a moment"],
)
def test_writes_are_closed_when_the_target_lacks_next_to_nothing(lags: list[float]) -> None:
    pair = Pair([*lags, 9.0])
    pair.approach()
    assert pair.waits == len(lags)


def test_a_target_that_is_always_busy_is_not_waited_for_for_ever() -> None:
    pair = Pair([0.3] * 100)
    pair.approach()
    assert pair.now == pytest.approx(2.1)
