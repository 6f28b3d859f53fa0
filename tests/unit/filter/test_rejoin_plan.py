# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.rejoin_plan import FilterModule
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, link, status

rejoin_plan = FilterModule().filters()["rejoin_plan"]
every_engine = pytest.mark.parametrize("engine", ENGINES)


def entries(engine: str, first: str, second: str | None) -> list[dict[str, t.Any]]:
    """Return two servers; the primary was recorded at the address that the replica follows."""
    host = link(engine, "replica").host
    return [
        {"name": "db1", "host": host, "replication": status(engine, first).as_result()},
        {"name": "db2", "host": "b", "replication": status(engine, second).as_result() if second else None},
    ]


@every_engine
def test_each_server_gets_its_way_and_what_the_primary_has(engine: str) -> None:
    found = {entry["target"]: entry for entry in rejoin_plan(entries(engine, "primary", "replica"), "db1", ["db2"])}
    assert (found["db1"]["way"], found["db2"]["way"]) == ("primary", "replica")
    assert found["db2"]["primary"] == "db1"
    assert found["db2"]["primary_gtids"] == str(status(engine, "primary").executed)
    assert found["db2"]["primary_origin"] == status(engine, "primary").origin


@every_engine
def test_a_server_that_cannot_be_asked_is_left(engine: str) -> None:
    found = {entry["target"]: entry for entry in rejoin_plan(entries(engine, "primary", None), "db1", ["db2"])}
    assert (found["db2"]["way"], found["db2"]["reason"]) == ("leave", "it cannot be asked")


@every_engine
def test_what_has_to_be_decided_first_is_an_error(engine: str) -> None:
    with pytest.raises(AnsibleFilterError, match="database_fence"):
        rejoin_plan(entries(engine, "primary", "primary"), "db1", ["db1"])
