# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.gtid import MariaDBGtids, MySQLGtids
from ansible_collections.webinfra.stack.plugins.module_utils._replication.rejoining.manifest import (
    Manifest,
    SavedFile,
    directory_name,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.rejoining.own import (
    Elsewhere,
    Log,
    Mark,
    Span,
    logs_with_own,
    spans_of,
)

A, B = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
KNOWN = {
    "mariadb": MariaDBGtids.parse("0-1-100,0-2-140"),
    "mysql": MySQLGtids.parse(f"{A}:1-100,{B}:1-40"),
}
every_engine = pytest.mark.parametrize("engine", KNOWN)


def history(engine: str, first: int, second: int = 0) -> t.Any:
    """Return what is there once db1 and db2 have written so many."""
    if engine == "mariadb":
        text = f"0-1-{first}" + (f",0-2-{100 + second}" if second else "")
        return MariaDBGtids.parse(text)
    return MySQLGtids.parse(f"{A}:1-{first}" + (f",{B}:1-{second}" if second else ""))


def single(engine: str, number: int, server: int = 1) -> t.Any:
    if engine == "mariadb":
        return MariaDBGtids.parse(f"0-{server}-{number}")
    return MySQLGtids.parse(f"{A if server == 1 else B}:{number}")


def elsewhere(engine: str, origin: str = "") -> Elsewhere:
    return Elsewhere(known=KNOWN[engine], origin=origin)


@every_engine
def test_what_the_primary_has_is_not_lacking(engine: str) -> None:
    assert not elsewhere(engine).lacks(history(engine, 100))
    assert str(elsewhere(engine).lacks(history(engine, 105))) == ("0-1-105" if engine == "mariadb" else f"{A}:101-105")


@every_engine
def test_what_the_primary_has_written_since_it_was_asked_is_not_lacking(engine: str) -> None:
    origin = "2" if engine == "mariadb" else B
    assert elsewhere(engine).lacks(history(engine, 100, 60))
    assert not elsewhere(engine, origin).lacks(history(engine, 100, 60))
    assert elsewhere(engine, origin).lacks(history(engine, 101, 60))


@every_engine
def test_only_the_logs_are_read_in_which_something_of_its_own_stands(engine: str) -> None:
    logs = [
        Log(name="binlog.000001", size=9, before=history(engine, 1)),
        Log(name="binlog.000002", size=9, before=history(engine, 90)),
        Log(name="binlog.000003", size=9, before=history(engine, 103)),
    ]
    found = logs_with_own(logs, history(engine, 105), elsewhere(engine))
    assert [log.name for log in found] == ["binlog.000002", "binlog.000003"]


@every_engine
@pytest.mark.parametrize(
    ("numbers", "spans"),
    [
        ([99, 100], []),
        ([100, 101, 102], [(20, None, 2)]),
        ([101, 102, 50], [(10, 30, 2)]),
        ([101, 50, 102], [(10, 20, 1), (30, None, 1)]),
    ],
    ids=["none", "the end", "the beginning", "with others in between"],
)
def test_neighbours_are_read_in_one_piece(
    engine: str, numbers: list[int], spans: list[tuple[int, int | None, int]]
) -> None:
    log = Log(name="binlog.000001", size=99, before=history(engine, 1))
    marks = [Mark(position=10 * place, gtid=single(engine, number)) for place, number in enumerate(numbers, start=1)]
    expected = tuple(Span(log=log.name, start=start, end=end, count=count) for start, end, count in spans)
    assert spans_of(log, marks, elsewhere(engine)) == expected


def test_the_same_set_is_kept_in_the_same_place() -> None:
    assert directory_name("db1", "0-1-105") == directory_name("db1", "0-1-105")
    assert directory_name("db1", "0-1-105") != directory_name("db1", "0-1-106")


def test_a_manifest_survives_being_written_and_read() -> None:
    manifest = Manifest(
        server="db1",
        engine="mariadb",
        version="11.8",
        server_id=1,
        server_uuid=None,
        gtids="0-1-105",
        count=5,
        missing="",
        saved_at="2026-11-26T18:00:00Z",
        files=(SavedFile(name="replay.sql", size=3, sha256="ab"),),
    )
    assert Manifest.from_text(manifest.to_text()) == manifest
