# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill has shown: what was lost, how long nobody could write, and whether that is as good as it has to be."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import dataclass

from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_journal import Journal, Kind

if t.TYPE_CHECKING:
    import collections.abc as c

_SHOWN = 5
"""How many numbers of rows a sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What was done."""

    fault: str
    engine: str
    durability: str
    loss_expected: bool = False
    """The proof that the drill finds losses: without a single one it has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A playbook that was run afterwards."""

    name: str
    succeeded: bool
    changes: tuple[str, ...] = ()
    """The tasks that have changed something."""
    complaints: tuple[str, ...] = ()
    """The tasks that have failed, and why."""

    @property
    def complaint(self) -> str | None:
        if not self.succeeded:
            return f"{self.name} is not green{': ' if self.complaints else ''}{'; '.join(self.complaints)}"
        return f"{self.name} has changed something: {'; '.join(self.changes)}" if self.changes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen."""

    journals: tuple[Journal, ...]
    """The first is that of the client behind the router; others have written where they should not."""
    rows: t.Mapping[str, c.Sequence[int]]
    """The numbers of the rows that each server has in the end."""
    open_servers: tuple[str, ...]
    """Who takes writes in the end."""
    kept_primary: str | None = None
    """Who has to be among them; nothing where it may be another one than before."""
    checks: tuple[Check, ...] = ()
    moment: float | None = None
    """From when on somebody waited for writes: the start of the verb, or of the servers."""
    writes_closed_ms: float | None = None
    moved_ms: float | None = None
    """What the move itself took, from its first step to its last."""
    reseeded: int | None = None
    """How many servers had to be filled anew to come back; nothing where none had to come back."""

    @property
    def client(self) -> Journal:
        return self.journals[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The numbers of a drill."""

    acknowledged: int
    unknown: int
    unknown_but_written: int
    lost: int
    doubled: int
    differing: int
    two_open_seconds: float
    write_gap_seconds: float | None
    read_gap_seconds: float | None
    seconds_to_write: float | None
    writes_closed_ms: float | None
    moved_ms: float | None
    reseeded: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The numbers, and what is wrong with them."""

    figures: Figures
    failures: tuple[str, ...]
    """Must never be."""
    missed: tuple[str, ...]
    """Goals that were not reached."""


def judge(drill: Drill, evidence: Evidence) -> Verdict:
    """Hold what was seen against what must be, and against the goals."""
    figures = _figures(evidence)
    return Verdict(
        figures=figures,
        failures=tuple(_failures(drill, evidence, figures)),
        missed=tuple(goal.missed(figures) for goal in goals_of(drill) if not goal.reached(figures)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The most that a figure may be."""

    figure: str
    most: float

    def found(self, figures: Figures) -> float | None:
        return t.cast("float | None", getattr(figures, self.figure))

    def reached(self, figures: Figures) -> bool:
        found = self.found(figures)
        return found is not None and found <= self.most

    def missed(self, figures: Figures) -> str:
        found = self.found(figures)
        shown = "unknown" if found is None else f"{found:.3g}"
        return f"{self.figure} is {shown}, and at most {self.most:g} is the goal"


_CLOSED_MS = {"mariadb": 50.0, "mysql": 100.0}
_ALL_DOWN = ("reboot", "power_cut")
_KILLED = (Goal(figure="seconds_to_write", most=4), Goal(figure="moved_ms", most=1000))
_GOALS: t.Mapping[str, tuple[Goal, ...]] = {
    "server_killed": _KILLED,
    "to_and_fro": _KILLED,
    "host_dead": (Goal(figure="moved_ms", most=3000),),
    **dict.fromkeys(_ALL_DOWN, (Goal(figure="seconds_to_write", most=60),)),
}


def goals_of(drill: Drill) -> tuple[Goal, ...]:
    """Return what a drill has to reach."""
    reading = Goal(figure="read_gap_seconds", most=1)
    if drill.fault == "switchover":
        closed = Goal(figure="writes_closed_ms", most=_CLOSED_MS[drill.engine])
        return (reading, closed, Goal(figure="write_gap_seconds", most=1))
    # With all servers down there is nobody to read from.
    return (*(() if drill.fault in _ALL_DOWN else (reading,)), *_GOALS.get(drill.fault, ()))


def _figures(evidence: Evidence) -> Figures:
    acknowledged = _acknowledged(evidence)
    kept = [collections.Counter(numbers) for numbers in evidence.rows.values()]
    unknown = {number for journal in evidence.journals for number in journal.numbers(Kind.UNKNOWN)}
    return Figures(
        acknowledged=len(acknowledged),
        unknown=len(unknown),
        unknown_but_written=len(unknown.intersection(*kept)) if kept else 0,
        lost=len(_lost(evidence)),
        doubled=len({number for counter in kept for number, count in counter.items() if count > 1}),
        differing=len(_differing(kept)),
        two_open_seconds=evidence.client.seconds_of_two_open(),
        write_gap_seconds=evidence.client.longest_gap(Kind.WRITTEN),
        read_gap_seconds=evidence.client.longest_gap(Kind.READ),
        seconds_to_write=(
            None if evidence.moment is None else evidence.client.seconds_from(evidence.moment, Kind.WRITTEN)
        ),
        writes_closed_ms=evidence.writes_closed_ms,
        moved_ms=evidence.moved_ms,
        reseeded=evidence.reseeded,
    )


def _acknowledged(evidence: Evidence) -> set[int]:
    return {number for journal in evidence.journals for number in journal.numbers(Kind.WRITTEN)}


def _lost(evidence: Evidence) -> set[int]:
    """Return what somebody was told to be safe and some server does not have."""
    acknowledged = _acknowledged(evidence)
    return {number for numbers in evidence.rows.values() for number in acknowledged.difference(numbers)}


def _differing(kept: list[collections.Counter[int]]) -> set[int]:
    """Return what not all servers have the same number of times."""
    return {number for counter in kept for number in counter | kept[0] if counter[number] != kept[0][number]}


def _failures(drill: Drill, evidence: Evidence, figures: Figures) -> t.Iterator[str]:
    if not figures.acknowledged:
        yield "no row was ever acknowledged, so nothing is proved"
    yield from _losses(drill, sorted(_lost(evidence)))
    if figures.doubled:
        yield f"{figures.doubled} rows are there more than once"
    if figures.differing:
        yield f"{figures.differing} rows are not the same on all servers"
    if len(evidence.open_servers) != 1:
        named = ", ".join(evidence.open_servers) or "nobody"
        yield f"exactly one server has to take writes in the end, and it is {named}"
    elif evidence.kept_primary not in (None, *evidence.open_servers):
        yield f"{evidence.open_servers[0]} takes the writes in the end, and {evidence.kept_primary} should do so still"
    if figures.two_open_seconds:
        yield f"two servers took writes at the same time, for {figures.two_open_seconds:.2f} s"
    yield from (complaint for check in evidence.checks if (complaint := check.complaint))


def _losses(drill: Drill, lost: list[int]) -> t.Iterator[str]:
    if lost and not drill.loss_expected:
        yield f"{len(lost)} acknowledged rows are lost: {_named(lost)}"
    if drill.loss_expected and not lost:
        yield "nothing was lost, although commits waited for nobody: this drill finds no losses"


def _named(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:_SHOWN])
    return f"{shown}, …" if len(numbers) > _SHOWN else shown


__all__ = ("Check", "Drill", "Evidence", "Figures", "Goal", "Verdict", "goals_of", "judge")
