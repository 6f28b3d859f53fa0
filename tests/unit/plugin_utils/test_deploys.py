# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.deploys import (
    BatchError,
    balancers_to_tell,
    batches,
    complaints,
    status_lines,
)

SERVERS = ["web1", "web2", "web3", "web4", "web5"]


def override(state="drain", weight=None, reason="new kernel"):
    return {"state": state, "weight": weight, "reason": reason}


def pool(up=True, **overrides):
    others = [{"name": name, "up": True} for name in ("web2", "web3")]
    return {"servers": [{"name": "web1", "up": up}, *others], "overrides": overrides}


@pytest.mark.parametrize(
    ("serial", "sizes"),
    [
        (1, [1, 1, 1, 1, 1]),
        ("2", [2, 2, 1]),
        ("40%", [2, 2, 1]),
        ("1%", [1, 1, 1, 1, 1]),
        ([1, "50%"], [1, 2, 2]),
        ([1, 2, 100], [1, 2, 2]),
        (9, [5]),
    ],
    ids=["one", "text", "a share", "never nobody", "a canary first", "growing", "all"],
)
def test_servers_are_divided(serial, sizes):
    divided = batches(SERVERS, serial)
    assert [len(batch) for batch in divided] == sizes
    assert [name for batch in divided for name in batch] == SERVERS


@pytest.mark.parametrize("serial", [0, -1, "0%", "101%", "many", "", [], [1, "x"], None, 1.5])
def test_what_divides_nothing_is_refused(serial):
    with pytest.raises(BatchError, match="deploy_serial"):
        batches(SERVERS, serial)


def test_without_servers_there_is_no_batch():
    assert batches([], 1) == []


@pytest.mark.parametrize(
    ("set_for_it", "told"),
    [
        ({}, [{"balancer": "lb1", "weight": None, "left": False}]),
        ({"web1": override()}, []),
        ({"web1": override("maintenance")}, []),
        ({"web1": override("ready", 0)}, []),
        ({"web1": override("ready", 2)}, [{"balancer": "lb1", "weight": 2, "left": False}]),
        ({"web1": override(reason="deploy: wiki", weight=2)}, [{"balancer": "lb1", "weight": 2, "left": True}]),
        ({"web1": override(reason=None)}, []),
        ({"web2": override()}, [{"balancer": "lb1", "weight": None, "left": False}]),
    ],
    ids=["nothing", "drained", "maintenance", "weight 0", "weight 2", "by a killed deploy", "no reason", "another"],
)
def test_what_others_have_set_is_kept(set_for_it, told):
    assert balancers_to_tell({"lb1": pool(**set_for_it)}, "web1") == told


@pytest.mark.parametrize(
    ("pools", "found"),
    [
        ({"lb1": pool()}, []),
        ({"lb1": pool(up=None)}, []),
        ({"lb1": pool(up=False)}, ["lb1 finds web1 down"]),
        ({"lb1": pool(up=False, web1=override())}, []),
        ({}, ["lb1 has not said how its servers are (does --limit leave it out?)"]),
    ],
    ids=["up", "not known", "down", "down and taken out", "no answer"],
)
def test_nothing_is_touched_while_a_server_is_down(pools, found):
    assert complaints(pools, ["web1", "web2"], ["lb1"]) == found


def test_a_server_that_gets_no_release_may_be_down():
    assert complaints({"lb1": pool(up=False)}, ["web2"], ["lb1"]) == []


@pytest.mark.parametrize(
    ("overrides", "found"),
    [
        ({"web1": override(), "web3": override()}, ["lb1 has nobody beside web2 to answer"]),
        ({"web1": override(reason="deploy: wiki"), "web3": override()}, []),
        ({"web1": override("ready", 0), "web3": override("ready", 1)}, []),
    ],
    ids=["others were taken out", "a killed run has left one out", "one gets nothing, one little"],
)
def test_nothing_is_touched_while_one_server_answers_alone(overrides, found):
    pools = {"lb1": pool(**overrides)}
    assert complaints(pools, ["web1", "web2", "web3"], ["lb1"]) == found
    assert complaints(pools, ["web1", "web2", "web3"], ["lb1"], outage_allowed=True) == []


def test_the_tree_says_what_runs_what_is_kept_and_who_deploys():
    first = {"id": "aaa", "at": "2026-02-02", "by": "anna", "revision": ""}
    second = {"id": "v1", "at": "2026-01-01", "by": "", "revision": "bbbccc"}
    third = {"id": "ccc", "at": "2025-12-31", "by": "anna", "revision": "cccddd"}
    lock = {"requested_by": "bert", "verb": "deploy", "since": "now", "reason": "hot fix"}
    seen = {
        "current": "aaa",
        "previous": "v1",
        "releases": [first, second, third],
        "incomplete": ["ddd"],
        "lock": lock,
    }
    assert status_lines({"web1": seen, "web2": {}}) == [
        "web servers",
        "├─ web1  runs aaa",
        "│  ├─ aaa  current, 2026-02-02, by anna",
        "│  ├─ v1  previous, 2026-01-01, revision bbbccc",
        "│  ├─ ccc  kept, 2025-12-31, by anna",
        "│  ├─ ddd  incomplete, removed by the next deploy",
        "│  └─ locked by bert for deploy since now: hot fix",
        "└─ web2  does not answer",
    ]
