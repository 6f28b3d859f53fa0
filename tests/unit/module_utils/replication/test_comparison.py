# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sqlite3
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.webinfra.stack.plugins.module_utils._replication.comparison.ranges import (
    KeyRange,
    bound,
    key_of,
    range_digest,
    rows_of_keys,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.comparison.report import (
    Difference,
    Findings,
    Unsettled,
    differing,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.comparison.tables import (
    Column,
    Table,
    read_tables,
)
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import FakeSession, dialect

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Statement

Rows = list[dict[str, t.Any]]


def table(*key: str) -> Table:
    columns = tuple(Column(name=name, data_type="int", definition="int") for name in key)
    return Table(schema="main", name="t", columns=columns, key=key, estimated_rows=0)


class Sqlite:
    """Another engine that understands the ranges: they are plain SQL."""

    def __init__(self, keys: t.Iterable[tuple[int, int]]) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b))")
        self._connection.executemany("INSERT INTO t VALUES (?, ?)", keys)

    def query(self, statement: Statement, select: str | None = None) -> Rows:
        sql = statement.sql.replace("%s", "?")
        if select:
            sql = f"SELECT {select} FROM {sql.partition(' FROM ')[2]}"
        return [dict(row) for row in self._connection.execute(sql, statement.parameters)]


@given(
    keys=st.sets(st.tuples(st.integers(-3, 6), st.integers(-3, 6))),
    others=st.sets(st.tuples(st.integers(-5, 9), st.integers(-5, 9))),
    size=st.integers(1, 5),
)
def test_the_chunks_of_one_server_leave_no_row_out_on_any_server(
    keys: set[tuple[int, int]], others: set[tuple[int, int]], size: int
) -> None:
    here, there = Sqlite(keys), Sqlite(others)
    one = table("a", "b")
    seen: dict[str, list[tuple[int, int]]] = {"here": [], "there": []}
    after = None
    while True:
        rows = here.query(bound(one, after, size))
        upto = key_of(one, rows[0]) if rows else None
        for name, server in (("here", here), ("there", there)):
            statement = range_digest(one, KeyRange(after=after, upto=upto))
            found = [(row["a"], row["b"]) for row in server.query(statement, "a, b")]
            assert name == "there" or len(found) <= size
            seen[name] += found
        if upto is None:
            break
        after = upto
    assert (sorted(seen["here"]), sorted(seen["there"])) == (sorted(keys), sorted(others))


def test_rows_are_asked_for_by_key_and_held() -> None:
    statement = rows_of_keys(table("a", "b"), [(1, "x"), (2, "y")], lock=" FOR SHARE")
    assert statement.sql.endswith(" WHERE (`a` = %s AND `b` = %s) OR (`a` = %s AND `b` = %s) FOR SHARE")
    assert statement.parameters == (1, "x", 2, "y")


def test_a_value_is_never_part_of_a_statement() -> None:
    statement = range_digest(table("a"), KeyRange(after=("'; DROP",), upto=("z",)))
    assert "DROP" not in statement.sql
    assert statement.sql.count("%s") == len(statement.parameters)


def test_a_range_is_told_by_its_keys() -> None:
    assert str(KeyRange()) == "the first row to the last row"
    assert str(KeyRange(after=(1, b"\xff"), upto=(2, "a"))) == "after 1,ff to 2,a"


def column(name: str, position: int | None = None, **changes: t.Any) -> dict[str, t.Any]:
    return {
        "table_schema": "shop",
        "table_name": "t",
        "column_name": name,
        "data_type": "int",
        "column_type": "int(11)",
        "extra": "",
        "engine": "InnoDB",
        "table_rows": 7,
        "key_position": position,
        "key_prefix": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([column("a", 2), column("b", 1)], ("b", "a")),
        ([column("a")], ()),
        ([column("a", 1, data_type="enum")], ()),
        ([column("a", 1, data_type="varchar", key_prefix=5)], ()),
        ([column("a", 1, engine="Aria")], ()),
    ],
    ids=["in the order of the key", "without a key", "a type with an order of its own", "a prefix", "cannot be held"],
)
def test_a_table_is_cut_along_a_key_that_can_be_used(rows: Rows, key: tuple[str, ...]) -> None:
    (found,) = read_tables(FakeSession(dialect("mysql_9_7"), [rows]), ["shop"]).values()
    assert found.key == key


def test_computed_columns_are_left_out_and_long_ones_are_digested_first() -> None:
    rows = [column("a", 1), column("b", data_type="longtext"), column("c", extra="VIRTUAL GENERATED")]
    (found,) = read_tables(FakeSession(dialect("mysql_9_7"), [rows]), []).values()
    assert [each.name for each in found.columns] == ["a", "b"]
    assert "SHA2(`b`, 256)" in found.digest


def test_rows_differ_in_three_ways() -> None:
    found = differing({(1,): 5, (2,): 6, (3,): 7}, {(2,): 6, (3,): 8, (4,): 9})
    assert (found.missing, found.extra, found.changed) == (((1,),), ((4,),), ((3,),))


def test_the_message_names_everything() -> None:
    difference = Difference(replica="db2", table="shop.t", where="keys after 1 to 9", changed=1, missing=2, keys=("3",))
    unsettled = Unsettled(replica=None, table="shop.log", reason="it is too large")
    assert Findings(differences=(difference,), unsettled=(unsettled,)).message == (
        "The primary and its replicas differ in 1 place:\n"
        "- db2: shop.t, keys after 1 to 9: rows 2 missing, 1 changed, keys 3\n"
        "Not compared:\n"
        "- shop.log: it is too large"
    )
    assert Findings().message is None
