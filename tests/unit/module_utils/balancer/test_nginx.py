# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.nginx import (
    read_statuses,
    server_lines,
    with_server_lines,
)
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import (
    Override,
    Overrides,
    Pool,
    PoolError,
    PoolServer,
    Provider,
    ServerState,
)

WEB1 = PoolServer(name="web1", address="10.0.0.1", port=8000, weight=3)
WEB2 = PoolServer(name="web2", address="fd00::2", port=8000, backup=True)
POOL = Pool(provider=Provider.NGINX, health_path="/healthz", servers=(WEB1, WEB2))
NOTHING_SET = Overrides()
LOG = [
    '10.9.9.9 [2026-11-27T05:31:20+00:00] "GET / HTTP/1.1" 200 12 server=10.0.0.1:8000 tries="200" time=0.002',
    '10.9.9.9 [2026-11-27T05:31:21+00:00] "GET / HTTP/1.1" 200 1 server=10.0.0.1:8000, [fd00::2]:8000 tries="502, 200"',
    '10.9.9.9 [2026-11-27T05:31:22+00:00] "GET / HTTP/1.1" 502 12 server=servers tries="502" time=0.000',
]


def set_for(server, state, weight=None):
    return Overrides({server.name: Override(state=state, weight=weight)})


def configuration(overrides=NOTHING_SET):
    lines = "".join(f"        {line}\n" for line in server_lines(POOL.servers, overrides))
    return f"http {{\n    upstream servers {{\n        zone servers 64k;\n{lines}        keepalive 32;\n    }}\n}}\n"


def statuses(overrides=NOTHING_SET, *, configured=None, sessions=None, log=()):
    text = configuration(overrides if configured is None else configured)
    return read_statuses(POOL, overrides, configuration=text, sessions=sessions or {}, log=log)


def test_servers_are_named_with_weight_and_role():
    assert server_lines(POOL.servers, NOTHING_SET)[1:-1] == [
        "server 10.0.0.1:8000 weight=3 max_fails=1 fail_timeout=2s; # web1",
        "server [fd00::2]:8000 weight=1 max_fails=1 fail_timeout=2s backup; # web2",
    ]


def test_a_limit_of_connections_is_kept():
    limited = PoolServer(name="web3", address="10.0.0.3", port=80, max_connections=50)
    assert "fail_timeout=2s max_conns=50; # web3" in server_lines([limited], NOTHING_SET)[1]


@pytest.mark.parametrize("state", [ServerState.DRAIN, ServerState.MAINTENANCE], ids=lambda state: state.value)
def test_a_server_that_was_taken_out_is_down_and_the_line_says_why(state):
    line = server_lines(POOL.servers, set_for(WEB1, state))[1]
    assert line == f"server 10.0.0.1:8000 down max_fails=1 fail_timeout=2s; # web1, {state.value}"


def test_nginx_knows_no_weight_0_so_such_a_server_is_down():
    assert "10.0.0.1:8000 down" in server_lines(POOL.servers, set_for(WEB1, ServerState.READY, 0))[1]


def test_the_lines_are_replaced_and_the_rest_stays():
    drained = set_for(WEB1, ServerState.DRAIN)
    assert with_server_lines(configuration(), server_lines(POOL.servers, drained)) == configuration(drained)
    assert with_server_lines(configuration(drained), server_lines(POOL.servers, NOTHING_SET)) == configuration()


def test_a_configuration_without_the_marks_is_left_alone():
    with pytest.raises(PoolError, match="is not marked"):
        with_server_lines("http {}\n", server_lines(POOL.servers, NOTHING_SET))


@pytest.mark.parametrize(
    ("overrides", "state", "weight"),
    [
        (NOTHING_SET, ServerState.READY, 3),
        (set_for(WEB1, ServerState.READY, 9), ServerState.READY, 9),
        (set_for(WEB1, ServerState.READY, 0), ServerState.READY, 0),
        (set_for(WEB1, ServerState.DRAIN), ServerState.DRAIN, 3),
        (set_for(WEB1, ServerState.MAINTENANCE, 5), ServerState.MAINTENANCE, 5),
    ],
    ids=["declared", "another weight", "weight 0", "drained", "in maintenance"],
)
def test_what_is_configured_is_read_back(overrides, state, weight):
    assert (statuses(overrides)[0].state, statuses(overrides)[0].weight) == (state, weight)


def test_what_was_set_but_not_written_yet_is_not_taken_for_done():
    assert statuses(set_for(WEB1, ServerState.DRAIN), configured=NOTHING_SET)[0].state is ServerState.READY


def test_requests_and_the_last_failure_come_from_the_log():
    first, second = statuses(log=LOG, sessions={"10.0.0.1:8000": 7})
    assert (first.requests, first.sessions, first.last_check.outcome, first.last_check.passed) == (2, 7, "502", False)
    assert (second.requests, second.sessions, second.last_check.passed) == (1, 0, True)
    assert first.up is None
