# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.chosen_primary import FilterModule
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, status

chosen_primary = FilterModule().filters()["chosen_primary"]
every_engine = pytest.mark.parametrize("engine", ENGINES)


def entries(engine: str, first: str | None, second: str | None) -> list[dict[str, t.Any]]:
    """Return two servers; the primary was recorded at the address that the replica follows."""
    host = link(engine, "replica").host
    return [
        {"name": "db1", "host": host, "replication": status(engine, first).as_result() if first else None},
        {"name": "db2", "addresses": ["b"], "replication": status(engine, second).as_result() if second else None},
    ]


@every_engine
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("primary", "replica", "db1"), ("replica", "primary", "db2"), (None, "primary", "db2")],
    ids=["ordinary", "after a switchover", "after a failover"],
)
def test_the_server_that_takes_writes_is_the_primary(
    engine: str, first: str | None, second: str | None, expected: str
) -> None:
    assert chosen_primary(entries(engine, first, second), "db1") == expected


@every_engine
@pytest.mark.parametrize(
    ("first", "second", "words"),
    [("primary", "primary", "db1, db2 all take writes"), (None, "replica", "bring db1 back"), (None, None, "asked")],
    ids=["two primaries", "a replica without its source", "nobody answers"],
)
def test_doubt_is_an_error_with_what_to_do(engine: str, first: str | None, second: str | None, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        chosen_primary(entries(engine, first, second), "db1")


@pytest.mark.parametrize(
    "servers",
    [[{"host": "a"}], ["db1"], [{"name": "db1", "replication": {"engine": "mysql"}}]],
    ids=["no name", "no mapping", "half a status"],
)
def test_something_else_than_servers_is_refused(servers: list[t.Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="replication_info"):
        chosen_primary(servers, "db1")


def test_the_initial_primary_must_be_listed() -> None:
    with pytest.raises(AnsibleFilterError, match="initial primary 'db9'"):
        chosen_primary(entries("mysql_9_7", "primary", "replica"), "db9")
