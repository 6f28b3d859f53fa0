# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a comparison has found."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

    from .ranges import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Rows of one range that one replica holds otherwise than the primary."""

    replica: str
    table: str
    where: str
    """The range of keys, or what about the table differs."""
    missing: int = 0
    """On the replica."""
    extra: int = 0
    changed: int = 0
    keys: tuple[str, ...] = ()
    """The first of them."""

    def __str__(self) -> str:
        counts = [
            f"{number} {word}"
            for number, word in ((self.missing, "missing"), (self.extra, "too many"), (self.changed, "changed"))
            if number
        ]
        shown = f", keys {'; '.join(self.keys)}" if self.keys else ""
        rows = f": rows {', '.join(counts)}{shown}" if counts else ""
        return f"{self.replica}: {self.table}, {self.where}{rows}"

    def as_result(self) -> dict[str, t.Any]:
        return {
            "replica": self.replica,
            "table": self.table,
            "where": self.where,
            "missing": self.missing,
            "extra": self.extra,
            "changed": self.changed,
            "keys": list(self.keys),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What was not compared, or could not be decided, and why."""

    replica: str | None
    """Nothing when it is the same for all."""
    table: str
    reason: str

    def __str__(self) -> str:
        return f"{self.replica + ': ' if self.replica else ''}{self.table}: {self.reason}"

    def as_result(self) -> dict[str, t.Any]:
        return {"replica": self.replica, "table": self.table, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All of it."""

    tables: int = 0
    rows: int = 0
    chunks: int = 0
    caught_up_at: float | None = None
    """When the last replica had everything that the primary had at the beginning, in seconds since 1970."""
    rechecked: int = 0
    """Chunks that were changing while they were read, and agreed in the end or did not."""
    differences: tuple[Difference, ...] = ()
    unsettled: tuple[Unsettled, ...] = ()

    @property
    def message(self) -> str | None:
        """Return one line for everything that is wrong."""
        lines = [f"- {difference}" for difference in self.differences]
        if lines:
            places = f"{len(lines)} place{'s' if len(lines) > 1 else ''}"
            lines.insert(0, f"The primary and its replicas differ in {places}:")
        if self.unsettled:
            lines += ["Not compared:", *(f"- {unsettled}" for unsettled in self.unsettled)]
        return "\n".join(lines) or None

    def as_result(self) -> dict[str, t.Any]:
        return {
            "changed": False,
            "tables": self.tables,
            "rows": self.rows,
            "chunks": self.chunks,
            "caught_up_at": self.caught_up_at,
            "rechecked": self.rechecked,
            "differences": [difference.as_result() for difference in self.differences],
            "unsettled": [unsettled.as_result() for unsettled in self.unsettled],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDifferences:
    """The rows that differ, by key."""

    missing: tuple[Key, ...]
    extra: tuple[Key, ...]
    changed: tuple[Key, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.missing + self.extra + self.changed


def differing(primary: c.Mapping[Key, int], replica: c.Mapping[Key, int]) -> RowDifferences:
    """Compare rows by key."""
    return RowDifferences(
        missing=tuple(key for key in primary if key not in replica),
        extra=tuple(key for key in replica if key not in primary),
        changed=tuple(key for key, digest in primary.items() if key in replica and replica[key] != digest),
    )


__all__ = ("Difference", "Findings", "RowDifferences", "Unsettled", "differing")
