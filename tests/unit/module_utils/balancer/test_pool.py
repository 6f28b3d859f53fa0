# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import (
    Override,
    Overrides,
    Pool,
    PoolError,
    PoolServer,
    ServerState,
)

DECLARED = {
    "provider": "haproxy",
    "health_path": "/healthz",
    "servers": [
        {"name": "web1", "address": "10.0.0.1", "port": 8000, "weight": 3},
        {"name": "web2", "address": "::1", "port": 80},
    ],
}
DRAINED = Override(state=ServerState.DRAIN, since="2026-11-27T05:30:00+00:00", requested_by="anna", reason="new kernel")


def test_a_pool_is_read_as_the_role_writes_it():
    pool = Pool.from_text(json.dumps(DECLARED))
    assert pool.server("web1").weight == 3
    assert (pool.server("web2").endpoint, pool.server("web2").weight, pool.server("web2").backup) == (
        "[::1]:80",
        1,
        False,
    )
    with pytest.raises(PoolError, match="it has web1, web2"):
        pool.server("web9")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"provider": "lvs"}'], ids=["empty", "list", "no fields", "unknown"])
def test_a_damaged_pool_is_refused(text):
    with pytest.raises(PoolError, match="run the role load_balancer"):
        Pool.from_text(text)


def test_what_was_set_survives_being_written_and_read():
    overrides = Overrides({"web1": DRAINED})
    assert Overrides.from_text(overrides.to_text()) == overrides


@pytest.mark.parametrize("text", ["", "[]", '{"web1": {"state": "asleep"}}'], ids=["empty", "list", "unknown state"])
def test_damaged_overrides_are_refused_and_not_forgotten(text):
    with pytest.raises(PoolError, match="remove it"):
        Overrides.from_text(text)


def test_a_server_that_was_taken_out_gets_no_share_and_keeps_its_weight():
    server = PoolServer(name="web1", address="10.0.0.1", port=80, weight=3)
    assert (Overrides({"web1": DRAINED}).share_of(server), Overrides({"web1": DRAINED}).weight_of(server)) == (0, 3)
    assert Overrides().share_of(server) == 3


def test_what_is_set_back_is_forgotten():
    assert Overrides({"web1": DRAINED}).with_override("web1", Override(state=ServerState.READY)) == {}
