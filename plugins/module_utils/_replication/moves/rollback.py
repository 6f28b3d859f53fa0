# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The way back from a move that has failed: the old primary takes writes again, the new one surely none."""

from __future__ import annotations

import typing as t

from .steps import Act, MovePlan, MoveStep, Stage, preparation, turning

if t.TYPE_CHECKING:
    import collections.abc as c

_FOLLOWING = (Act.FOLLOW, Act.FOLLOW_AS_FORMER_PRIMARY)


def plan_rollback(plan: MovePlan, tried: c.Collection[MoveStep], done: c.Collection[MoveStep]) -> tuple[Stage, ...]:
    """Undo what was tried, in an order that never leaves two servers open; nothing once the new primary is open."""
    former = plan.former
    closed = any(step.server == former and step.act is Act.CLOSE_WRITES for step in tried)
    if former is None or not closed or any(step.act is Act.OPEN_WRITES for step in done):
        return ()
    stages = []
    if any(step.server == plan.primary and step.act is Act.OPEN_WRITES for step in tried):
        # The answer was lost, and clients may have written there meanwhile.
        stages.append(
            Stage("close again", (MoveStep(plan.primary, Act.CLOSE_WRITES, "only one server may take writes"),))
        )
        comparing = f"what {plan.primary} was given meanwhile must not be lost"
        stages.append(Stage("compare", (MoveStep(former, Act.COMPARE_HISTORY, comparing, plan.primary),)))
    stages.append(Stage("reopen", _reopening(former, tried)))
    touched = dict.fromkeys(step.server for step in tried if step.act is Act.STOP_REPLICATION and step.server != former)
    if touched:
        stages.append(Stage("follow again", tuple(step for name in touched for step in _turning_back(name, former))))
        checks = tuple(MoveStep(name, Act.AWAIT_REPLICATION, f"it has to follow {former}", former) for name in touched)
        stages.append(Stage("check", checks))
    return tuple(stages)


def _reopening(former: str, tried: c.Collection[MoveStep]) -> tuple[MoveStep, ...]:
    mine = {step.act for step in tried if step.server == former}
    following = [
        MoveStep(former, Act.STOP_REPLICATION, "a primary follows nobody"),
        MoveStep(former, Act.FORGET_SOURCE, "a primary follows nobody"),
    ]
    return (
        *(following if mine.intersection(_FOLLOWING) else ()),
        *(
            [preparation(former), MoveStep(former, Act.WAIT_IN_COMMITS, "as before")]
            if Act.STOP_WAITING_IN_COMMITS in mine
            else ()
        ),
        MoveStep(former, Act.OPEN_WRITES, "the move has failed, and writes have to go on"),
    )


def _turning_back(server: str, former: str) -> tuple[MoveStep, ...]:
    releasing = MoveStep(
        server, Act.STOP_WAITING_IN_COMMITS, "a replica that waits in its commits blocks what it applies"
    )
    stop, *rest = turning(server, former)
    return (stop, releasing, *rest)


__all__ = ("plan_rollback",)
