# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What came of a move, as a value and in words."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .roles import PRIMARY

if t.TYPE_CHECKING:
    from .conductor import LogEntry
    from .loss import Loss
    from .steps import MovePlan, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was planned, done and found."""

    plan: MovePlan
    before: dict[str, str]
    after: dict[str, str]
    began: float = 0
    log: tuple[LogEntry, ...] = ()
    writes_closed_ms: float | None = None
    failure: str | None = None
    opened: bool = True
    """Whether the new primary takes writes."""
    rolled_back: bool = False
    warning: str | None = None
    loss: Loss | None = None

    @property
    def changed(self) -> bool:
        return bool(self.plan.stages)

    @property
    def summary(self) -> str:
        """Say in a sentence or two what came of it."""
        plan = self.plan
        if self.failure is not None:
            return self.failure
        if not self.changed:
            return f"{plan.primary} takes the writes already, and nothing had to be done"
        tense = "took" if self.log else "would take"
        lost = f". {self.loss.reason}" if self.loss else ""
        if plan.former is None:
            over = f" over from {plan.predecessor}" if plan.predecessor else ""
            return f"{plan.primary} {tense} the writes{over}: a move that was interrupted is finished{lost}"
        closed = f", which were closed for {self.writes_closed_ms:.0f} ms" if self.writes_closed_ms is not None else ""
        return f"{plan.primary} {tense} the writes over from {plan.former}{closed}{lost}"

    @property
    def took_ms(self) -> float:
        """From the first step to the end of the last one."""
        return round((max(entry.ended for entry in self.log) - self.began) * 1000, 1) if self.log else 0.0

    def as_result(self) -> dict[str, t.Any]:
        primaries = [name for name, role in self.after.items() if role == PRIMARY]
        return {
            "changed": self.changed,
            "summary": self.summary,
            "primary": primaries[0] if len(primaries) == 1 else None,
            "former_primary": self.plan.former or self.plan.predecessor,
            "plan": self.plan.as_result(),
            "steps": [entry.as_result(self.began) for entry in self.log],
            "writes_closed_ms": self.writes_closed_ms,
            "took_ms": self.took_ms,
            "rolled_back": self.rolled_back,
            "diff": {"before": self.before, "after": self.after},
            **({"lost": self.loss.as_result()} if self.loss else {}),
        }


def failure_of(
    plan: MovePlan, problems: list[LogEntry], rollback: tuple[Stage, ...] | None, complaints: list[LogEntry]
) -> str | None:
    """Say what has failed, who takes the writes all the same, and what to do; nothing when all went well."""
    if not problems:
        return None
    told = "; ".join(words_of(entry) for entry in problems)
    if rollback is None:
        return f"{plan.primary} takes the writes, but not everything came right: {told}. What to do: run the site"
    if not rollback:
        return (
            f"The move has failed, before anything of it was final: {told}. What to do: remove the cause, run it again"
        )
    if complaints:
        back = "; ".join(words_of(entry) for entry in complaints)
        return (
            f"The move has failed: {told}. Going back has failed as well: {back}. What to do: see which server takes "
            "writes (replication_check), then run this again"
        )
    return (
        f"The move has failed and was taken back, {plan.former} takes the writes: {told}. What to do: remove the cause"
    )


def words_of(entry: LogEntry) -> str:
    """Say which step failed where, and why."""
    return f"{entry.step.server}: {entry.step.act.value}: {entry.problem}"


__all__ = ("Moved", "failure_of", "words_of")
