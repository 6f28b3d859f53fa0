# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Compare a primary with its replicas, chunk by chunk, while all of them go on working.

A chunk is read on the primary, then on the replica, once that has all that the primary had. Two that are equal are
done. Two that differ may just have been written to between the looks, so their rows are looked at again, and the ones
that still differ are proven: the primary holds these few rows still until the replica has caught up, and then there is
nothing left that a difference could come from but a difference.
"""

from __future__ import annotations

import contextlib
import itertools
import time
import typing as t
from dataclasses import dataclass

from ..errors import RefusedError, StatementFailedError
from ..session import Statement
from .ranges import (
    Digest,
    Key,
    KeyRange,
    bound,
    digest_of,
    key_of,
    keyed,
    range_digest,
    rows_of_keys,
    rows_of_range,
    words,
)
from .report import Difference, Findings, RowDifferences, Unsettled, differing
from .tables import Table, read_tables

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..session import Session

_HELD_ROWS = 100
"""So many at most are held still at once, and so many keys prove a difference well enough."""
_SHOWN_KEYS = 10
_HOLD_SECONDS = 0.5
"""Writers of these rows wait as long as that at most."""
_CLOSE_SECONDS = 1.0
_PAUSE_SECONDS = 0.05
_CHUNKS_AT_ONCE = 32
_BUSY = frozenset({1205, 1213})
"""Somebody else holds the row, or both wait for each other."""
_GONE = frozenset({1054, 1146, 1049, 1412})
"""A table that was dropped or altered meanwhile."""

PREPARE = (
    Statement("SET SESSION time_zone = '+00:00', sql_mode = '', innodb_lock_wait_timeout = 1"),
    # Without it a lock would cover the gaps between rows as well, and stop inserts there.
    Statement("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"),
)
"""Makes values look the same on every server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much the comparison may ask of the servers."""

    chunk_rows: int = 5000
    load: float = 0.5
    """The share of the time in which it makes them work; it rests for the others."""
    attempts: int = 5
    """How often a chunk that is being written to is looked at."""
    settle_seconds: float = 300
    """What a replica gets before the comparison begins."""
    catch_up_seconds: float = 30
    largest_whole: int = 1_000_000
    """Rows of a table that has to be read in one piece."""
    clock: c.Callable[[], float] = time.monotonic
    sleep: c.Callable[[float], None] = time.sleep


class _LateError(Exception):
    """The replica did not come to where the primary was."""


class Comparison:
    """One walk through all tables."""

    def __init__(self, primary: Session, replicas: c.Mapping[str, Session], pace: Pace) -> None:
        self._primary = primary
        self._replicas = replicas
        self._pace = pace
        self._rows = self._chunks = self._rechecked = 0
        self._caught_up_at: float | None = None
        self._differences: list[Difference] = []
        self._unsettled: list[Unsettled] = []

    def run(self, databases: c.Sequence[str]) -> Findings:
        """Compare the tables of these databases, or all."""
        for session in (self._primary, *self._replicas.values()):
            for statement in PREPARE:
                session.query(statement)
        for name in self._replicas:
            self._settle(name)
        self._caught_up_at = time.time()
        tables = read_tables(self._primary, databases)
        for name in self._replicas:
            self._compare_shapes(name, tables, databases)
        for table in tables.values():
            self._compare_table(table)
        return Findings(
            tables=len(tables),
            rows=self._rows,
            chunks=self._chunks,
            caught_up_at=self._caught_up_at,
            rechecked=self._rechecked,
            differences=tuple(self._differences),
            unsettled=tuple(self._unsettled),
        )

    def _settle(self, name: str) -> None:
        """Wait until the replica is close behind: one that was just seeded has to make up for that time first."""
        deadline = self._pace.clock() + self._pace.settle_seconds
        while True:
            begin = self._pace.clock()
            try:
                self._catch_up(name, max(deadline - begin, _PAUSE_SECONDS))
            except _LateError as exc:
                raise RefusedError(f"{name} is too far behind to be compared: {exc}. Nothing was compared") from None
            if self._pace.clock() - begin < _CLOSE_SECONDS:
                return

    def _compare_shapes(self, name: str, tables: c.Mapping[str, Table], databases: c.Sequence[str]) -> None:
        with contextlib.suppress(_LateError):  # tables that have not come yet are looked for on both sides
            self._catch_up(name, self._pace.catch_up_seconds)
        theirs = read_tables(self._replicas[name], databases)
        # What came or went between the looks is not there any more, or has come to both by now.
        ours = read_tables(self._primary, databases)
        for full_name in sorted((tables.keys() & ours.keys()) | theirs.keys()):
            here, there = ours.get(full_name), theirs.get(full_name)
            if there is None:
                self._differ(name, full_name, "the whole table is missing")
            elif here is None:
                self._differ(name, full_name, "the whole table is too many")
            elif not here.same_shape(there):
                self._differ(name, full_name, "its columns or its key are others")

    def _compare_table(self, table: Table) -> None:
        known = {found.replica for found in self._differences if found.table == table.full_name}
        replicas = [name for name in self._replicas if name not in known]
        try:
            if table.key:
                self._compare_chunks(table, replicas)
            elif table.estimated_rows > self._pace.largest_whole:
                self._leave(None, table.full_name, "it has no usable primary key and is too large to be read at once")
            else:
                for name in replicas:
                    self._compare_whole(table, name)
        except StatementFailedError as exc:
            if exc.code not in _GONE:
                raise
            self._leave(None, table.full_name, "it was dropped or altered meanwhile")

    def _compare_chunks(self, table: Table, replicas: c.Sequence[str]) -> None:
        chunks = self._chunks_of(table)
        # Several at once, so that a replica that is behind is not waited for again and again.
        while batch := list(itertools.islice(chunks, _CHUNKS_AT_ONCE)):
            for name in replicas:
                try:
                    self._catch_up(name, self._pace.catch_up_seconds)
                except _LateError as exc:
                    for span, _digest in batch:
                        self._leave(name, table.full_name, f"{span}: {exc}")
                    continue
                for span, digest in batch:
                    begin = self._pace.clock()
                    self._compare_chunk(table, span, digest, name)
                    self._rest(begin)

    def _chunks_of(self, table: Table) -> c.Iterator[tuple[KeyRange, Digest]]:
        """Yield the table's ranges with what the primary holds in them."""
        after: Key | None = None
        while True:
            begin = self._pace.clock()
            rows = self._primary.query(bound(table, after, self._pace.chunk_rows))
            span = KeyRange(after=after, upto=key_of(table, rows[0]) if rows else None)
            digest = digest_of(self._primary.query(range_digest(table, span)))
            self._rows += digest.rows
            self._chunks += 1
            self._rest(begin)
            yield span, digest
            if span.upto is None:
                return
            after = span.upto

    def _compare_chunk(self, table: Table, span: KeyRange, digest: Digest, name: str) -> None:
        """Compare a chunk with what a replica holds that has reached at least the primary's position."""
        if digest_of(self._replicas[name].query(range_digest(table, span))) == digest:
            return
        self._rechecked += 1
        try:
            proven = self._proven(table, span, name)
        except _LateError as exc:
            self._leave(name, table.full_name, f"{span}: {exc}")
            return
        if proven is None or not proven.keys:
            return
        self._differences.append(
            Difference(
                replica=name,
                table=table.full_name,
                where=f"keys {span}",
                missing=len(proven.missing),
                extra=len(proven.extra),
                changed=len(proven.changed),
                keys=tuple(words(key) for key in proven.keys[:_SHOWN_KEYS]),
            )
        )

    def _proven(self, table: Table, span: KeyRange, name: str) -> RowDifferences | None:
        """Return the rows that really differ."""
        statement = rows_of_range(table, span)
        for _ in range(self._pace.attempts):
            ours = keyed(table, self._primary.query(statement))
            self._catch_up(name, self._pace.catch_up_seconds)
            suspects = differing(ours, keyed(table, self._replicas[name].query(statement))).keys
            if not suspects:
                return None
            if len(suspects) <= _HELD_ROWS:
                statement = rows_of_keys(table, suspects)
        for _ in range(self._pace.attempts):
            try:
                return self._held(table, suspects[:_HELD_ROWS], name)
            except StatementFailedError as exc:
                if exc.code not in _BUSY:
                    raise
            except _LateError:
                pass
            self._pace.sleep(_PAUSE_SECONDS)
        raise _LateError("its rows are written to all the time, or the replica does not catch up")

    def _held(self, table: Table, keys: c.Sequence[Key], name: str) -> RowDifferences:
        """Compare rows that nobody can change meanwhile."""
        ours = rows_of_keys(table, keys, lock=self._primary.dialect.hold_rows)
        deadline = self._pace.clock() + _HOLD_SECONDS
        self._primary.query(Statement("START TRANSACTION"))
        try:
            while True:
                here = keyed(table, self._primary.query(ours))
                self._catch_up(name, max(deadline - self._pace.clock(), _PAUSE_SECONDS))
                found = differing(here, keyed(table, self._replicas[name].query(rows_of_keys(table, keys))))
                # The last change of a row may be visible a moment before it is part of the position.
                if not found.keys or self._pace.clock() >= deadline:
                    return found
                self._pace.sleep(_PAUSE_SECONDS)
        finally:
            self._primary.query(Statement("ROLLBACK"))

    def _compare_whole(self, table: Table, name: str) -> None:
        """Compare a table that cannot be cut: it counts as different when it held still and differs, twice."""
        statement = range_digest(table, KeyRange())
        proofs = 0
        before = digest_of(self._primary.query(statement))
        self._chunks += 1
        self._rows += before.rows
        for _ in range(self._pace.attempts):
            begin = self._pace.clock()
            try:
                self._catch_up(name, self._pace.catch_up_seconds)
            except _LateError as exc:
                self._leave(name, table.full_name, str(exc))
                return
            theirs = digest_of(self._replicas[name].query(statement))
            after = digest_of(self._primary.query(statement))
            if theirs in (before, after):
                return
            proofs = proofs + 1 if before == after else 0
            if proofs > 1:
                self._differ(
                    name, table.full_name, f"{theirs.rows} rows instead of {after.rows}, no usable primary key"
                )
                return
            before = after
            self._rest(begin)
        self._leave(name, table.full_name, "it has no usable primary key and did not hold still")

    def _catch_up(self, name: str, seconds: float) -> None:
        """Wait until the replica has everything that the primary has now."""
        position = self._primary.query(Statement(self._primary.dialect.read_position))[0]["position"]
        replica = self._replicas[name]
        rows = replica.query(Statement(replica.dialect.wait_for_position, (position, seconds)))
        if rows[0]["late"] != 0:
            raise _LateError(f"the replica did not come within {seconds:.3g} s to where the primary was")

    def _rest(self, begin: float) -> None:
        spent = self._pace.clock() - begin
        self._pace.sleep(spent * (1 / self._pace.load - 1))

    def _differ(self, replica: str, table: str, where: str) -> None:
        self._differences.append(Difference(replica=replica, table=table, where=where))

    def _leave(self, replica: str | None, table: str, reason: str) -> None:
        self._unsettled.append(Unsettled(replica=replica, table=table, reason=reason))


__all__ = ("PREPARE", "Comparison", "Pace")
