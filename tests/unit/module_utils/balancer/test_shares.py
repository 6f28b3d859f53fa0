# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.shares import (
    BalancedServer,
    NoServerError,
    compare_shares,
    expected_shares,
    share_table,
)

TOLERANCE = 2


def server(name, weight=1, *, backup=False):
    return BalancedServer(name=name, weight=weight, backup=backup)


def complaints(servers, answered):
    shares = compare_shares(servers, answered)
    return {share.name: share.complaint(TOLERANCE) for share in shares if share.complaint(TOLERANCE)}


def smooth_round_robin(servers, requests):
    """Balance as nginx and HAProxy do: whoever has waited for the largest share is next."""
    credit = dict.fromkeys((server.name for server in servers), 0)
    for _ in range(requests):
        for each in servers:
            credit[each.name] += each.weight
        chosen = max(credit, key=credit.__getitem__)
        credit[chosen] -= sum(each.weight for each in servers)
        yield chosen


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([server("web1", 3), server("web2", 1)], {"web1": 30, "web2": 10}),
        ([server("web1"), server("web2", backup=True)], {"web1": 40, "web2": 0}),
        ([server("web1", 0), server("web2")], {"web1": 0, "web2": 40}),
        (
            [server("web1", 0), server("web2", 3, backup=True), server("web3", 1, backup=True)],
            {"web1": 0, "web2": 30, "web3": 10},
        ),
        ([server("web1", 0, backup=True), server("web2", backup=True)], {"web1": 0, "web2": 40}),
    ],
    ids=["by weight", "backup stands by", "weight 0 is out", "backups when all others are out", "a backup is out, too"],
)
def test_shares_follow_weights_and_backups(servers, expected):
    assert expected_shares(servers, 40) == expected


@pytest.mark.parametrize("servers", [[], [server("web1", 0)], [server("web1", 0, backup=True)]], ids=len)
def test_somebody_must_answer(servers):
    with pytest.raises(NoServerError, match="no server has a weight above 0"):
        expected_shares(servers, 40)


@given(st.lists(st.integers(min_value=1, max_value=256), min_size=1, max_size=6), st.integers(1, 300))
def test_shares_add_up_to_the_requests(weights, requests):
    servers = [server(f"web{number}", weight) for number, weight in enumerate(weights)]
    assert sum(expected_shares(servers, requests).values()) == pytest.approx(requests)


@given(st.lists(st.integers(min_value=1, max_value=16), min_size=1, max_size=4), st.integers(20, 80), st.data())
def test_round_robin_is_never_refused_wherever_it_begins(weights, requests, data):
    servers = [server(f"web{number}", weight) for number, weight in enumerate(weights)]
    begin = data.draw(st.integers(0, sum(weights)))
    answered = list(smooth_round_robin(servers, begin + requests))[begin:]
    assert complaints(servers, answered) == {}


TWO = [server("web1", 3), server("web2", 1)]


@pytest.mark.parametrize(
    ("servers", "answered", "expected"),
    [
        (TWO, {"web1": 32, "web2": 8}, {}),
        (TWO, {"web1": 33, "web2": 7}, {"web1": "too many", "web2": "too few"}),
        (TWO, {"web1": 40}, {"web1": "too many", "web2": "missing"}),
        ([server("web1", 39), server("web2")], {"web1": 40}, {"web2": "missing"}),
        ([server("web1"), server("web2", backup=True)], {"web1": 39, "web2": 1}, {"web2": "should stand by"}),
        ([server("web1"), server("web2", 0)], {"web1": 39, "web2": 1}, {"web2": "should stand by"}),
        ([server("web1")], {"web1": 39, "web9": 1}, {"web9": "unknown"}),
    ],
    ids=["within", "beyond", "dead", "dead within", "backup serves", "weight 0 serves", "stranger"],
)
def test_a_share_that_is_off_is_told(servers, answered, expected):
    names = [name for name, count in answered.items() for _ in range(count)]
    assert complaints(servers, names) == expected


def test_the_table_marks_what_is_off():
    shares = compare_shares([server("web1"), server("web2", 1, backup=True)], ["web1"] * 39 + ["web2"])
    assert share_table(shares, TOLERANCE).splitlines() == [
        "server  weight      expected  observed",
        "web1    1           40        39",
        "web2    1 (backup)  0         1         <- should stand by",
    ]
