# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The algebra of GTID sets: which transactions a server has, and which of them another one lacks."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .errors import IncomparableGtidsError, MalformedGtidError

if t.TYPE_CHECKING:
    import collections.abc as c

Interval = tuple[int, int]

_MARIADB_GTID = re.compile(r"(\d+)-(\d+)-(\d+)")
_MYSQL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MYSQL_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}")
_MYSQL_INTERVAL = re.compile(r"(\d+)(?:-(\d+))?")


class Gtids(t.Protocol):
    """The transactions that a server has executed or received."""

    def contains(self, other: Gtids) -> bool:
        """Tell whether every transaction of the other set is in this one."""

    def subtract(self, other: Gtids) -> Gtids:
        """Return what is here and not there."""

    def union(self, other: Gtids) -> Gtids:
        """Return what is in either."""

    def ahead_of(self, other: Gtids) -> int:
        """Count the transactions that a server with the other set has yet to execute."""

    def alone(self, other: Gtids) -> int:
        """Count what is here and not there; where an engine keeps only last numbers, there are at least so many."""

    def without_origin(self, origin: str) -> Gtids:
        """Return what others than this server (its UUID, or its number) have written first."""

    def __bool__(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class MariaDBGtids:
    """The last sequence number of every (domain, server id), as in C(gtid_binlog_state).

    A server's transactions in a domain are applied in order, so the last number stands for all before it.
    Unlike C(gtid_binlog_pos) this still shows a foreign write that a later one of the source has covered up.
    """

    last: tuple[tuple[tuple[int, int], int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> MariaDBGtids:
        """Read C(domain-server-sequence, …)."""
        last: dict[tuple[int, int], int] = {}
        for part in _parts(text):
            match = _MARIADB_GTID.fullmatch(part)
            if match is None:
                raise MalformedGtidError(f"{part!r} is not a MariaDB GTID; one looks like 0-1-42")
            domain, server, sequence = (int(group) for group in match.groups())
            last[domain, server] = max(sequence, last.get((domain, server), 0))
        return cls._of(last)

    @classmethod
    def _of(cls, last: c.Mapping[tuple[int, int], int]) -> MariaDBGtids:
        return cls(tuple(sorted(last.items())))

    def contains(self, other: Gtids) -> bool:
        return not self._same(other).subtract(self)

    def subtract(self, other: Gtids) -> MariaDBGtids:
        """Return the servers' last numbers that the other set has not reached."""
        theirs = dict(self._same(other).last)
        return self._of({origin: number for origin, number in self.last if number > theirs.get(origin, 0)})

    def union(self, other: Gtids) -> MariaDBGtids:
        last = dict(self.last)
        for origin, number in self._same(other).last:
            last[origin] = max(number, last.get(origin, 0))
        return self._of(last)

    def ahead_of(self, other: Gtids) -> int:
        """Count by domain: its servers share one sequence, and a seeded server knows only the last number of it."""
        theirs = self._same(other).heights
        return sum(max(0, height - theirs.get(domain, 0)) for domain, height in self.heights.items())

    def alone(self, other: Gtids) -> int:
        """Count from the last number below that is common to both or somebody else's; at least one each."""
        theirs = dict(self._same(other).last)
        count = 0
        for (domain, server), number in self.subtract(other).last:
            floor = max(theirs.get((domain, server), 0), self._below(domain, number))
            count += number - floor if floor else 1
        return count

    def _below(self, domain: int, number: int) -> int:
        return max((last for (where, _server), last in self.last if where == domain and last < number), default=0)

    def without_origin(self, origin: str) -> MariaDBGtids:
        return self._of({key: number for key, number in self.last if str(key[1]) != origin})

    @property
    def as_history(self) -> str:
        """Write it as a server takes its history: of each domain the newest last."""
        ordered = sorted(self.last, key=lambda entry: (entry[0][0], entry[1]))
        return ",".join(f"{domain}-{server}-{number}" for (domain, server), number in ordered)

    @property
    def heights(self) -> dict[int, int]:
        """Return the last sequence number of every domain."""
        heights: dict[int, int] = {}
        for (domain, _server), number in self.last:
            heights[domain] = max(number, heights.get(domain, 0))
        return heights

    @staticmethod
    def _same(other: Gtids) -> MariaDBGtids:
        if not isinstance(other, MariaDBGtids):
            raise IncomparableGtidsError("A MariaDB GTID position cannot be compared with one of another engine")
        return other

    def __bool__(self) -> bool:
        return bool(self.last)

    def __str__(self) -> str:
        return ",".join(f"{domain}-{server}-{sequence}" for (domain, server), sequence in self.last)


@dataclass(frozen=True, slots=True)
class MySQLGtids:
    """Intervals of transaction numbers for every origin (server UUID, with a tag where one was set)."""

    intervals: tuple[tuple[str, tuple[Interval, ...]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> MySQLGtids:
        """Read C(uuid:1-5:7,uuid:tag:1); the server breaks lines after the commas."""
        found: dict[str, list[Interval]] = {}
        for part in _parts(text):
            uuid, *rest = part.lower().split(":")
            if _MYSQL_UUID.fullmatch(uuid) is None or not rest:
                raise MalformedGtidError(f"{part!r} is not a MySQL GTID set; one looks like UUID:1-42")
            origin = uuid
            for piece in rest:
                if _MYSQL_TAG.fullmatch(piece):
                    origin = f"{uuid}:{piece}"
                else:
                    found.setdefault(origin, []).append(_interval(piece, part))
        return cls._of(found)

    @classmethod
    def _of(cls, found: c.Mapping[str, c.Sequence[Interval]]) -> MySQLGtids:
        merged = {origin: _merged(intervals) for origin, intervals in found.items()}
        return cls(tuple(sorted((origin, intervals) for origin, intervals in merged.items() if intervals)))

    def contains(self, other: Gtids) -> bool:
        return not self._same(other).subtract(self)

    def subtract(self, other: Gtids) -> MySQLGtids:
        theirs = dict(self._same(other).intervals)
        return self._of({origin: _without(mine, theirs.get(origin, ())) for origin, mine in self.intervals})

    def union(self, other: Gtids) -> MySQLGtids:
        found = {origin: list(intervals) for origin, intervals in self.intervals}
        for origin, intervals in self._same(other).intervals:
            found.setdefault(origin, []).extend(intervals)
        return self._of(found)

    def ahead_of(self, other: Gtids) -> int:
        missing = self.subtract(other).intervals
        return sum(high - low + 1 for _origin, intervals in missing for low, high in intervals)

    def alone(self, other: Gtids) -> int:
        return self.ahead_of(other)

    def without_origin(self, origin: str) -> MySQLGtids:
        return MySQLGtids(tuple(part for part in self.intervals if part[0].partition(":")[0] != origin.lower()))

    @staticmethod
    def _same(other: Gtids) -> MySQLGtids:
        if not isinstance(other, MySQLGtids):
            raise IncomparableGtidsError("A MySQL GTID set cannot be compared with one of another engine")
        return other

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __str__(self) -> str:
        return ",".join(
            ":".join([origin, *(f"{low}-{high}" if high > low else f"{low}" for low, high in intervals)])
            for origin, intervals in self.intervals
        )


def _parts(text: str) -> list[str]:
    stripped = "".join(text.split())
    return stripped.split(",") if stripped else []


def _interval(piece: str, whole: str) -> Interval:
    match = _MYSQL_INTERVAL.fullmatch(piece)
    if match is None:
        raise MalformedGtidError(f"{piece!r} in {whole!r} is not an interval of transaction numbers")
    low = int(match[1])
    high = int(match[2] or low)
    if low < 1 or high < low:
        raise MalformedGtidError(f"{piece!r} in {whole!r} does not run upwards from 1 or more")
    return low, high


def _merged(intervals: c.Iterable[Interval]) -> tuple[Interval, ...]:
    result: list[Interval] = []
    for low, high in sorted(intervals):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def _without(mine: c.Sequence[Interval], theirs: c.Sequence[Interval]) -> list[Interval]:
    """Walk both, which are sorted, once: servers with ten thousand intervals exist."""
    result: list[Interval] = []
    position = 0
    for low, high in mine:
        start = low
        while position < len(theirs) and theirs[position][1] < start:
            position += 1
        ahead = position
        while ahead < len(theirs) and theirs[ahead][0] <= high:
            their_low, their_high = theirs[ahead]
            if their_low > start:
                result.append((start, their_low - 1))
            start = their_high + 1
            ahead += 1
        if start <= high:
            result.append((start, high))
        position = max(position, ahead - 1)
    return result


__all__ = ("Gtids", "MariaDBGtids", "MySQLGtids")
