# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client of a drill has written down, read back."""

from __future__ import annotations

import enum
import itertools
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c


class Kind(enum.Enum):
    """What the client met with; the words of the journal."""

    WRITTEN = "written"
    UNKNOWN = "unknown"
    """The connection was lost while the row was on its way: it may be there or not."""
    REFUSED = "refused"
    """The server has said no, or was not reached: the row is nowhere."""
    READ = "read"
    UNREAD = "unread"
    OPEN = "open"
    CLOSED = "closed"
    SILENT = "silent"
    ENDED = "ended"


_LOOKS = frozenset({Kind.OPEN, Kind.CLOSED, Kind.SILENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, between two readings of the client's clock."""

    kind: Kind
    subject: str
    """The number of a row, or the name of a server."""
    asked: float
    answered: float
    wall: float
    """The end in seconds since 1970, to compare with other hosts' clocks."""


@dataclass(frozen=True, slots=True)
class Journal:
    """All events of one client, in the order in which they ended."""

    events: tuple[Event, ...]

    def numbers(self, kind: Kind) -> list[int]:
        return [int(event.subject) for event in self.of(kind)]

    def of(self, kind: Kind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]

    def longest_gap(self, kind: Kind) -> float | None:
        """Return the longest time without such an event, up to the end; nothing where there was none at all."""
        moments = [event.answered for event in self.of(kind)]
        if not moments:
            return None
        moments.append(max(event.answered for event in self.events))
        return max(later - earlier for earlier, later in itertools.pairwise(moments))

    def seconds_from(self, wall: float, kind: Kind) -> float | None:
        """Return how long after a moment the first such event was; nothing where none followed."""
        return next((event.wall - wall for event in self.of(kind) if event.wall > wall), None)

    def seconds_of_two_open(self) -> float:
        """Return for how long two servers certainly took writes at the same time."""
        spans = [(name, *span) for name in self._servers() for span in self._open_spans(name)]
        pairs = ((one, other) for one, other in itertools.combinations(spans, 2) if one[0] != other[0])
        overlaps = [min(one[2], other[2]) - max(one[1], other[1]) for one, other in pairs]
        return sum((overlap for overlap in overlaps if overlap > 0), 0.0)

    def _servers(self) -> list[str]:
        return sorted({event.subject for event in self.events if event.kind in _LOOKS})

    def _open_spans(self, server: str) -> list[tuple[float, float]]:
        """Return when a server was open for certain: from the first answer of a row of them to the last question."""
        looks = [event for event in self.events if event.subject == server and event.kind in _LOOKS]
        rows = (list(row) for open_, row in itertools.groupby(looks, lambda look: look.kind is Kind.OPEN) if open_)
        return [(row[0].answered, row[-1].asked) for row in rows]


class MalformedJournalError(ValueError):
    """A line that no client has written."""


def read_journal(lines: c.Iterable[str]) -> Journal:
    """Read the client's lines; the last one may be cut off where the client was killed."""
    events = []
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            break
        try:
            kind, subject, asked, answered, wall, *_note = line.split()
            event = Event(
                kind=Kind(kind), subject=subject, asked=float(asked), answered=float(answered), wall=float(wall)
            )
        except ValueError as exc:
            raise MalformedJournalError(f"line {number} of the journal is none of the client's: {line!r}") from exc
        events.append(event)
    return Journal(tuple(events))


__all__ = ("Event", "Journal", "Kind", "MalformedJournalError", "read_journal")
