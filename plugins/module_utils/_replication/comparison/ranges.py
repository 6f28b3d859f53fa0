# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A table in pieces: ranges of its primary key that together leave no row out, and the statements that read them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..session import Statement, quote_identifier

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..session import Row
    from .tables import Table

Key = tuple[t.Any, ...]
"""The values of a primary key, in the order of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRange:
    """The rows after one key and up to another; an open end reaches over all rows there are, on every server."""

    after: Key | None = None
    upto: Key | None = None

    def __str__(self) -> str:
        begin = "the first row" if self.after is None else f"after {words(self.after)}"
        end = "the last row" if self.upto is None else words(self.upto)
        return f"{begin} to {end}"


@dataclass(frozen=True, slots=True)
class Digest:
    """What is compared of many rows at once."""

    rows: int
    total: int
    """The sum of the rows' digests: unlike XOR it also sees two equal rows too many."""


def words(key: Key) -> str:
    """Show a key to a reader."""
    return ",".join(value.hex() if isinstance(value, bytes) else str(value) for value in key)


def bound(table: Table, after: Key | None, rows: int) -> Statement:
    """Ask for the key that ends a chunk of this many rows; no row when fewer are left."""
    condition, parameters = _condition(table, KeyRange(after=after))
    names = _names(table)
    sql = f"SELECT {_aliased(table)} FROM {table.quoted}{condition} ORDER BY {names} LIMIT 1 OFFSET %s"
    return Statement(sql, (*parameters, rows - 1))


def range_digest(table: Table, span: KeyRange) -> Statement:
    """Ask for number and digest of the rows in a range."""
    condition, parameters = _condition(table, span)
    return Statement(
        f"SELECT COUNT(*) AS amount, SUM({table.digest}) AS total FROM {table.quoted}{condition}", parameters
    )


def rows_of_range(table: Table, span: KeyRange) -> Statement:
    """Ask for key and digest of every row in a range."""
    condition, parameters = _condition(table, span)
    return Statement(f"{_select_rows(table)}{condition}", parameters)


def rows_of_keys(table: Table, keys: c.Sequence[Key], *, lock: str = "") -> Statement:
    """Ask for key and digest of some rows; with a lock they hold still until the transaction ends."""
    equal = " AND ".join(f"{quote_identifier(name)} = %s" for name in table.key)
    condition = " OR ".join([f"({equal})"] * len(keys))
    parameters = tuple(value for key in keys for value in key)
    return Statement(f"{_select_rows(table)} WHERE {condition}{lock}", parameters)


def digest_of(rows: c.Sequence[Row]) -> Digest:
    return Digest(int(rows[0]["amount"]), int(rows[0]["total"] or 0))


def keyed(table: Table, rows: c.Iterable[Row]) -> dict[Key, int]:
    """Return the digests by key."""
    return {key_of(table, row): int(row["digest"]) for row in rows}


def key_of(table: Table, row: Row) -> Key:
    return tuple(row[f"key_{number}"] for number in range(len(table.key)))


def _select_rows(table: Table) -> str:
    return f"SELECT {_aliased(table)}, {table.digest} AS digest FROM {table.quoted}"


def _names(table: Table) -> str:
    return ", ".join(quote_identifier(name) for name in table.key)


def _aliased(table: Table) -> str:
    return ", ".join(f"{quote_identifier(name)} AS key_{number}" for number, name in enumerate(table.key))


def _condition(table: Table, span: KeyRange) -> tuple[str, tuple[t.Any, ...]]:
    parts: list[str] = []
    parameters: tuple[t.Any, ...] = ()
    for key, beyond, last in ((span.after, ">", ">"), (span.upto, "<", "<=")):
        if key is not None:
            text, values = _compare(table, key, beyond, last)
            parts.append(text)
            parameters += values
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), parameters


def _compare(table: Table, key: Key, beyond: str, last: str) -> tuple[str, tuple[t.Any, ...]]:
    """Compare keys column by column: for a comparison of tuples neither engine uses the index."""
    names = [quote_identifier(name) for name in table.key]
    alternatives = []
    parameters: list[t.Any] = [key[0]]
    for number, name in enumerate(names):
        operator = last if number == len(names) - 1 else beyond
        alternatives.append(" AND ".join([*(f"{before} = %s" for before in names[:number]), f"{name} {operator} %s"]))
        parameters += key[: number + 1]
    return f"({names[0]} {beyond}= %s AND ({' OR '.join(alternatives)}))", tuple(parameters)


__all__ = (
    "Digest",
    "Key",
    "KeyRange",
    "bound",
    "digest_of",
    "key_of",
    "keyed",
    "range_digest",
    "rows_of_keys",
    "rows_of_range",
    "words",
)
