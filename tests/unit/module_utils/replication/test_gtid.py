# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    IncomparableGtidsError,
    MalformedGtidError,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.gtid import Gtids, MariaDBGtids, MySQLGtids

A = "74768b4c-e77c-11f1-8748-0242ac130006"
B = "75351a74-e77c-11f1-a19a-0242ac130007"
ORIGINS = (A, B, f"{A}:tagged")

mysql_transactions = st.frozensets(st.tuples(st.sampled_from(ORIGINS), st.integers(1, 12)))
mariadb_last = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(1, 3)), st.integers(1, 9))


def mysql_text(transactions: t.Iterable[tuple[str, int]]) -> str:
    return ",\n".join(f"{origin}:{number}" for origin, number in transactions)


def mysql_set(gtids: MySQLGtids) -> set[tuple[str, int]]:
    return {(o, n) for o, intervals in gtids.intervals for low, high in intervals for n in range(low, high + 1)}


def mariadb_text(last: dict[tuple[int, int], int]) -> str:
    return ",".join(f"{domain}-{server}-{number}" for (domain, server), number in last.items())


def mariadb_set(last: dict[tuple[int, int], int]) -> set[tuple[int, int, int]]:
    return {(d, s, n) for (d, s), number in last.items() for n in range(1, number + 1)}


@given(mysql_transactions, mysql_transactions)
def test_mysql_sets_behave_as_sets_of_transactions(left: frozenset[tuple[str, int]], right: t.Any) -> None:
    one, two = MySQLGtids.parse(mysql_text(left)), MySQLGtids.parse(mysql_text(right))
    assert mysql_set(one) == left
    assert mysql_set(one.union(two)) == left | right
    assert mysql_set(one.subtract(two)) == left - right
    assert one.contains(two) is (left >= right)
    assert bool(one) is bool(left)


@given(mysql_transactions)
def test_a_mysql_set_survives_being_written_and_read(transactions: frozenset[tuple[str, int]]) -> None:
    gtids = MySQLGtids.parse(mysql_text(transactions))
    assert MySQLGtids.parse(str(gtids)) == gtids


@given(mariadb_last, mariadb_last)
def test_mariadb_positions_behave_as_the_transactions_up_to_them(
    left: dict[tuple[int, int], int], right: dict[tuple[int, int], int]
) -> None:
    one, two = MariaDBGtids.parse(mariadb_text(left)), MariaDBGtids.parse(mariadb_text(right))
    assert one.contains(two) is (mariadb_set(left) >= mariadb_set(right))
    assert mariadb_set(dict(one.union(two).last)) == mariadb_set(left) | mariadb_set(right)
    missing = one.subtract(two)
    assert {(d, s) for (d, s), _ in missing.last} == {(d, s) for d, s, _ in mariadb_set(left) - mariadb_set(right)}
    assert two.union(missing) == one.union(two)


@given(mariadb_last)
def test_a_mariadb_position_survives_being_written_and_read(last: dict[tuple[int, int], int]) -> None:
    gtids = MariaDBGtids.parse(mariadb_text(last))
    assert MariaDBGtids.parse(str(gtids)) == gtids


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        (f"{A}:1-5", f"{A}:1-5"),
        (f"{A}:7:1-5:6", f"{A}:1-7"),
        (f"{A.upper()}:1", f"{A}:1"),
        (f"{A}:1-5,\n{B}:1", f"{A}:1-5,{B}:1"),
        (f"{A}:1-3:backup:1:4-5", f"{A}:1-3,{A}:backup:1:4-5"),
    ],
    ids=["nothing", "one interval", "merged", "upper case", "as the server breaks lines", "tagged"],
)
def test_a_mysql_set_is_written_in_one_way(text: str, written: str) -> None:
    assert str(MySQLGtids.parse(text)) == written


@pytest.mark.parametrize(
    "text",
    ["1-2-3", f"{A}", f"{A}:", f"{A}:x-1", f"{A}:5-1", f"{A}:0", f"{A}:1,,"],
    ids=["a MariaDB one", "no interval", "an empty one", "no number", "downwards", "zero", "empty parts"],
)
def test_a_malformed_mysql_set_is_refused(text: str) -> None:
    with pytest.raises(MalformedGtidError):
        MySQLGtids.parse(text)


@pytest.mark.parametrize("text", ["0-1", "0-1-x", f"{A}:1", "0-1-1,"])
def test_a_malformed_mariadb_position_is_refused(text: str) -> None:
    with pytest.raises(MalformedGtidError):
        MariaDBGtids.parse(text)


@pytest.mark.parametrize(
    ("one", "two"),
    [(MariaDBGtids(), MySQLGtids()), (MySQLGtids(), MariaDBGtids())],
    ids=["MariaDB with MySQL", "MySQL with MariaDB"],
)
def test_two_engines_are_not_compared(one: Gtids, two: Gtids) -> None:
    with pytest.raises(IncomparableGtidsError):
        one.contains(two)


def test_a_foreign_write_shows_although_later_ones_of_the_source_follow() -> None:
    replica = MariaDBGtids.parse("0-2-6,0-1-9")
    assert str(replica.subtract(MariaDBGtids.parse("0-1-12"))) == "0-2-6"
