# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Carry out the stages of a move on all servers at once, and keep the time of every step."""

from __future__ import annotations

import functools
import time
import typing as t
from dataclasses import dataclass

from ..errors import DatabaseError
from .acts import Orders, Stand, do
from .record import MoveRecord
from .steps import Act

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..session import Session
    from .steps import MovePlan, MoveStep, Stage


class Fleet(t.Protocol):
    """The sessions to all servers."""

    def session(self, name: str) -> Session:
        """Return the session to a server, a new one after forget()."""

    def forget(self, name: str) -> None:
        """Close the session to a server: after a timeout its next answer would be the one to the last question."""

    def at_once(self, lanes: c.Sequence[c.Callable[[], None]]) -> None:
        """Run all, each in a thread of its own, until the last has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A step that was carried out, or was tried."""

    step: MoveStep
    began: float
    ended: float
    problem: str | None = None

    def as_result(self, since: float) -> dict[str, t.Any]:
        return {
            **self.step.as_result(),
            "at_ms": round((self.began - since) * 1000, 1),
            "took_ms": round((self.ended - self.began) * 1000, 1),
            "problem": self.problem,
        }


class Conductor:
    """Carries out stages; a step that fails ends its server's lane, and the others go on to their ends."""

    def __init__(
        self, fleet: Fleet, orders: Orders, plan: MovePlan, clock: c.Callable[[], float] = time.monotonic
    ) -> None:
        self._fleet = fleet
        self._plan = plan
        self._stand = Stand(
            orders=orders, session=fleet.session, record=functools.partial(self._as_record, orders), clock=clock
        )
        self.log: list[LogEntry] = []

    def run(self, stage: Stage) -> list[LogEntry]:
        """Carry out a stage and return what went wrong."""
        before = len(self.log)
        self._fleet.at_once([functools.partial(self._run_lane, lane) for lane in stage.lanes])
        return [entry for entry in self.log[before:] if entry.problem is not None]

    @property
    def tried(self) -> list[MoveStep]:
        return [entry.step for entry in self.log]

    @property
    def done(self) -> list[MoveStep]:
        return [entry.step for entry in self.log if entry.problem is None]

    @property
    def writes_closed_ms(self) -> float | None:
        """From the order to close until some server was open again; nothing where nothing was closed."""
        closed = [entry.began for entry in self.log if entry.step.act is Act.CLOSE_WRITES]
        opened = [entry.ended for entry in self.log if entry.step.act is Act.OPEN_WRITES and entry.problem is None]
        return round((opened[0] - closed[0]) * 1000, 1) if closed and opened else None

    def _run_lane(self, lane: tuple[MoveStep, ...]) -> None:
        for step in lane:
            began = self._stand.clock()
            problem = None
            try:
                do(step, self._stand)
            except DatabaseError as exc:
                problem = str(exc)
                self._fleet.forget(step.server)
            self.log.append(LogEntry(step=step, began=began, ended=self._stand.clock(), problem=problem))
            if problem is not None:
                return

    def _as_record(self, orders: Orders) -> MoveRecord:
        return MoveRecord(
            kind=orders.kind,
            former=self._plan.former or self._plan.predecessor,
            primary=self._plan.primary,
            writes_closed_ms=self.writes_closed_ms,
            forced=orders.forced,
            requested_by=orders.requested_by,
            lost=orders.lost,
        )


__all__ = ("Conductor", "Fleet", "LogEntry")
