# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
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
    assert one.ahead_of(two) == len(left - right)
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


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), max_size=30), st.integers(0, 30))
def test_a_mariadb_replica_is_behind_by_what_its_source_wrote_since(history: list[tuple[int, int]], had: int) -> None:
    """One sequence a domain, whoever writes: a history, and a replica that has its first transactions."""

    def state(writes: list[tuple[int, int]]) -> MariaDBGtids:
        heights: dict[int, int] = {}
        last: dict[tuple[int, int], int] = {}
        for domain, server in writes:
            heights[domain] = heights.get(domain, 0) + 1
            last[domain, server] = heights[domain]
        return MariaDBGtids.parse(mariadb_text(last))

    source, replica = state(history), state(history[:had])
    assert source.contains(replica)
    assert source.ahead_of(replica) == len(history[had:])
    assert replica.ahead_of(source) == 0


def test_a_seeded_mariadb_server_is_behind_only_by_what_came_after() -> None:
    seeded, source = MariaDBGtids.parse("0-1-500"), MariaDBGtids.parse("0-1-510,0-2-300")
    assert source.ahead_of(seeded) == 10


@pytest.mark.parametrize("operation", ["subtract", "union", "contains", "ahead_of"])
def test_ten_thousand_intervals_are_walked_once(operation: str) -> None:
    def seconds(count: int) -> float:
        one = MySQLGtids(((A, tuple((10 * number + 1, 10 * number + 5) for number in range(count))),))
        two = MySQLGtids(((A, tuple((10 * number + 3, 10 * number + 4) for number in range(count))),))
        begin = time.process_time()
        getattr(one, operation)(two)
        return time.process_time() - begin

    small, large = (min(seconds(count) for _ in range(3)) for count in (2_500, 10_000))
    assert large < 10 * max(small, 0.001)  # four times as many: a pair of loops would take sixteen times as long


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


@pytest.mark.parametrize(
    ("here", "there", "count"),
    [
        ("0-1-105", "0-1-100,0-2-140", 5),
        ("0-1-100,0-3-101", "0-1-130", 1),
        ("0-1-120,0-3-101", "0-1-130", 1),
        ("0-1-100", "0-1-100", 0),
        ("0-1-105,1-1-7", "0-1-100,1-1-5", 7),
    ],
    ids=["a former primary", "a write on a replica", "that has gone on", "nothing", "two domains"],
)
def test_what_a_mariadb_server_has_alone_is_counted(here: str, there: str, count: int) -> None:
    assert MariaDBGtids.parse(here).alone(MariaDBGtids.parse(there)) == count


def test_what_a_mysql_server_has_alone_is_counted() -> None:
    assert MySQLGtids.parse(f"{A}:1-10,{A}:tagged:1").alone(MySQLGtids.parse(f"{A}:1-7")) == 4


def test_what_a_server_has_written_itself_can_be_left_out() -> None:
    assert str(MariaDBGtids.parse("0-1-5,1-1-6,0-11-7").without_origin("1")) == "0-11-7"
    assert str(MySQLGtids.parse(f"{A}:1-5,{A}:tagged:1,{B}:1").without_origin(A.upper())) == f"{B}:1"
