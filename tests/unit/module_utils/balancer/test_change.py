# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.change import ChangeRefusedError, plan_change
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import (
    Override,
    Overrides,
    PoolServer,
    ServerState,
)
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.status import ServerStatus, as_results

READY, DRAIN = ServerState.READY, ServerState.DRAIN


def status(name, state=READY, weight=1, *, up=True, requests=0):
    server = PoolServer(name=name, address="10.0.0.1", port=80)
    return ServerStatus(server=server, state=state, weight=weight, up=up, sessions=0, requests=requests)


def plan(statuses, wanted, *, overrides=None, force=False):
    return plan_change(statuses, Overrides(overrides or {}), "web1", wanted, force=force)


def test_a_server_is_taken_out_and_that_is_kept():
    change = plan([status("web1"), status("web2")], Override(state=DRAIN, reason="new kernel"))
    assert (change.needed, change.takes_out, change.overrides["web1"].reason) == (True, True, "new kernel")


def test_one_that_is_out_already_stays_out_with_the_first_reason():
    set_before = {"web1": Override(state=DRAIN, reason="first")}
    change = plan([status("web1", DRAIN), status("web2")], Override(state=DRAIN, reason="second"), overrides=set_before)
    assert (change.needed, change.overrides["web1"].reason) == (False, "first")


def test_what_was_written_down_but_does_not_run_is_needed_still():
    set_before = {"web1": Override(state=DRAIN)}
    assert plan([status("web1"), status("web2")], Override(state=DRAIN), overrides=set_before).needed


def test_what_somebody_set_behind_our_back_is_taken_back():
    assert plan([status("web1", DRAIN), status("web2")], Override(state=READY)).needed


def test_one_that_is_put_back_has_nothing_set_any_more():
    change = plan(
        [status("web1", DRAIN), status("web2")], Override(state=READY), overrides={"web1": Override(state=DRAIN)}
    )
    assert (change.needed, change.takes_out, change.overrides) == (True, False, {})


def test_another_weight_is_kept_and_weight_0_takes_out():
    assert plan([status("web1"), status("web2")], Override(state=READY, weight=5)).overrides["web1"].weight == 5
    assert plan([status("web1"), status("web2")], Override(state=READY, weight=0)).takes_out


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "web1 is the only one"),
        ([status("web2", DRAIN)], "web2 is in drain"),
        ([status("web2", up=False)], "web2 is down"),
        ([status("web2", weight=0)], "web2 is of weight 0"),
    ],
    ids=["alone", "drained", "down", "weight 0"],
)
def test_the_last_one_that_would_answer_is_taken_out_only_by_force(others, words):
    with pytest.raises(ChangeRefusedError, match=words):
        plan([status("web1"), *others], Override(state=DRAIN))
    assert plan([status("web1"), *others], Override(state=DRAIN), force=True).needed


def test_a_server_whose_health_nobody_knows_counts_as_one_that_answers():
    assert plan([status("web1"), status("web2", up=None)], Override(state=DRAIN)).needed


@pytest.mark.parametrize("weight", [-1, 257])
def test_a_weight_out_of_bounds_is_refused(weight):
    with pytest.raises(ChangeRefusedError, match="between 0 and 256"):
        plan([status("web1"), status("web2")], Override(state=READY, weight=weight))


def test_shares_are_those_of_all_requests():
    shares = [result["share"] for result in as_results([status("web1", requests=30), status("web2", requests=10)])]
    assert shares == [0.75, 0.25]
    assert as_results([status("web1")])[0]["share"] is None
