# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What is compared: tables, their columns, and the key by which they are cut into chunks."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..engines.base import SYSTEM_SCHEMAS
from ..session import Statement, quote_identifier

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..session import Row, Session

# Where the order of the index and the order of what is sent back and forth may differ, no chunk can be cut.
_ORDERED_TYPES = frozenset(
    [
        "tinyint",
        "smallint",
        "mediumint",
        "int",
        "bigint",
        "decimal",
        "char",
        "varchar",
        "binary",
        "varbinary",
        "date",
        "datetime",
        "timestamp",
        "time",
        "year",
        "uuid",
        "inet4",
        "inet6",
    ]
)
# A row's values are strung together, and a string has a limit: the long ones go in as their own digests.
_LONG_TYPES = frozenset(
    ["tinyblob", "blob", "mediumblob", "longblob", "tinytext", "text", "mediumtext", "longtext", "json"]
)

_READ_COLUMNS = (
    "SELECT c.TABLE_SCHEMA AS table_schema, c.TABLE_NAME AS table_name, c.COLUMN_NAME AS column_name,"
    " c.DATA_TYPE AS data_type, c.COLUMN_TYPE AS column_type, c.EXTRA AS extra, t.ENGINE AS engine,"
    " t.TABLE_ROWS AS table_rows, k.SEQ_IN_INDEX AS key_position, k.SUB_PART AS key_prefix"
    " FROM information_schema.TABLES t"
    " JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME"
    " LEFT JOIN information_schema.STATISTICS k ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME"
    " AND k.COLUMN_NAME = c.COLUMN_NAME AND k.INDEX_NAME = 'PRIMARY'"
    f" WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN ({SYSTEM_SCHEMAS})"
)
_IN_ORDER = " ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as far as its values are concerned."""

    name: str
    data_type: str
    definition: str

    @property
    def expression(self) -> str:
        """Return the value so that two values that differ can never look the same, with its length before it."""
        name = quote_identifier(self.name)
        if self.data_type in _LONG_TYPES:
            return f"IFNULL(LENGTH({name}), 'N'), SHA2({name}, 256)"
        return f"IFNULL(LENGTH({name}), 'N'), CAST({name} AS BINARY)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that two servers should agree on."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The columns of the primary key; none where it cannot be used to cut the table into chunks."""
    estimated_rows: int

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    @property
    def digest(self) -> str:
        """Return 64 bits for a row. SHA2 is the one digest that every engine still has."""
        values = ", ".join(column.expression for column in self.columns)
        return f"CAST(CONV(LEFT(SHA2(CONCAT_WS('#', {values}), 256), 16), 16, 10) AS UNSIGNED)"

    def same_shape(self, other: Table) -> bool:
        return (self.columns, self.key) == (other.columns, other.key)


def read_tables(session: Session, databases: c.Sequence[str]) -> dict[str, Table]:
    """Read all tables that applications have made, or those of some databases."""
    chosen = f" AND t.TABLE_SCHEMA IN ({', '.join(['%s'] * len(databases))})" if databases else ""
    rows = session.query(Statement(_READ_COLUMNS + chosen + _IN_ORDER, tuple(databases)))
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["table_schema"], row["table_name"]), []).append(row)
    return {table.full_name: table for table in (_table(rows) for rows in found.values())}


def _table(rows: c.Sequence[Row]) -> Table:
    stored = [row for row in rows if "VIRTUAL" not in str(row["extra"]).upper()]
    return Table(
        schema=rows[0]["table_schema"],
        name=rows[0]["table_name"],
        columns=tuple(
            Column(
                name=row["column_name"], data_type=_text(row["data_type"]).lower(), definition=_text(row["column_type"])
            )
            for row in stored
        ),
        key=_key(rows),
        estimated_rows=int(rows[0]["table_rows"] or 0),
    )


def _key(rows: c.Sequence[Row]) -> tuple[str, ...]:
    keyed = sorted((row for row in rows if row["key_position"] is not None), key=lambda row: int(row["key_position"]))
    usable = all(_text(row["data_type"]).lower() in _ORDERED_TYPES and row["key_prefix"] is None for row in keyed)
    # Only InnoDB can hold a few rows still, which is how a difference is proven while writes go on.
    return tuple(row["column_name"] for row in keyed) if usable and rows[0]["engine"] == "InnoDB" else ()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


__all__ = ("Column", "Table", "read_tables")
