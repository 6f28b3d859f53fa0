# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.starting import (
    InitialRole,
    Start,
    plan_start,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ThreadState
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.moves.building import (
    SILENT,
    gone,
    primary,
    replica,
    status,
)


def start(*others: Server) -> Start:
    return plan_start(others)


@pytest.mark.parametrize(
    "others",
    [
        (),
        (replica("db2", **SILENT), replica("db3")),
        (replica("db2"), Server(name="db3", status=status())),
        (replica("db2"), replica("db3", source="db9")),
        (replica("db2", link_io_thread=ThreadState.STOPPED),),
        (primary(name="db2", has_user_schemas=False),),
        (primary(name="db2", unread="SHOW"),),
    ],
    ids=[
        "alone",
        "followed",
        "one was never brought back",
        "one was left behind by a move",
        "its replica was stopped",
        "the other one is empty",
        "the other one hangs",
    ],
)
def test_a_primary_that_nobody_has_replaced_keeps_the_end_of_its_log(others: tuple[Server, ...]) -> None:
    assert start(*others) == Start(role=InitialRole.MASTER, reason="nobody else takes writes")


def test_in_doubt_nothing_is_thrown_away_and_the_reason_is_told() -> None:
    found = start(gone("db2"), replica("db3"))
    assert found.role is InitialRole.MASTER
    assert found.reason == f"nobody else takes writes; db2 does not answer ({gone('db2').problem})"


def test_a_server_that_was_replaced_drops_the_end_of_its_log_and_can_follow_its_successor() -> None:
    found = start(gone("db3"), primary(name="db2"))
    assert found == Start(role=InitialRole.SLAVE, reason="db2 takes writes")
