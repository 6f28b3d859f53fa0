# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The transactions that a server has alone, and where in its binary logs they stand."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..gtid import Gtids


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What the primary has: nobody has to save that."""

    known: Gtids
    origin: str = ""
    """Who the primary is in GTIDs. What it wrote first is its own, also where it did so after it was asked."""

    def lacks(self, gtids: Gtids) -> Gtids:
        """Return what of a set is nowhere but here."""
        return (gtids.without_origin(self.origin) if self.origin else gtids).subtract(self.known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A binary log, with everything that was executed before it was begun."""

    name: str
    size: int
    before: Gtids


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a transaction begins in a log."""

    position: int
    gtid: Gtids


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Transactions that follow each other in one log, all of them to be saved."""

    log: str
    start: int
    end: int | None
    """Nothing where it goes on to the end of the log."""
    count: int


def logs_with_own(logs: c.Sequence[Log], executed: Gtids, elsewhere: Elsewhere) -> tuple[Log, ...]:
    """Return the logs in which something stands that is nowhere but here."""
    ends = [*(log.before for log in logs[1:]), executed]
    return tuple(log for log, after in zip(logs, ends, strict=True) if elsewhere.lacks(after.subtract(log.before)))


def spans_of(log: Log, marks: c.Sequence[Mark], elsewhere: Elsewhere) -> tuple[Span, ...]:
    """Join what follows each other: in one piece it is read faster, and keeps its settings."""
    spans: list[Span] = []
    start: int | None = None
    count = 0
    for mark in marks:
        if elsewhere.lacks(mark.gtid):
            start = mark.position if start is None else start
            count += 1
        elif start is not None:
            spans.append(Span(log=log.name, start=start, end=mark.position, count=count))
            start, count = None, 0
    if start is not None:
        spans.append(Span(log=log.name, start=start, end=None, count=count))
    return tuple(spans)


__all__ = ("Elsewhere", "Log", "Mark", "Span", "logs_with_own", "spans_of")
