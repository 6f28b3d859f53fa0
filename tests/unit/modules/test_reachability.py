# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import resource
import socket
import threading

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.modules.reachability import AT_ONCE, EXPLANATIONS, check, main, table

TIMEOUT = 0.2


@pytest.fixture
def accepting():
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refusing():
    """A port that was free a moment ago, and that is held without listening so that nobody else takes it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def silent():
    """A port whose queue is full: the kernel drops what comes, like a firewall does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        yield address[1]
        for filler in fillers:
            filler.close()


def target(port, expected, host="127.0.0.1"):
    return {"name": "db1", "host": host, "port": port, "protocol": "tcp", "expected": expected, "flow": "sql"}


def seen(targets):
    counts, differences = check(targets, TIMEOUT)
    return counts, [item["seen"] for item in differences]


def test_what_accepts_is_open(accepting):
    assert seen([target(accepting, "open")]) == ({"open": 1, "filtered": 0, "refused": 0}, [])
    assert seen([target(accepting, "closed")])[1] == ["open"]


def test_what_does_not_answer_is_filtered(silent):
    assert seen([target(silent, "closed")]) == ({"open": 0, "filtered": 1, "refused": 0}, [])
    assert seen([target(silent, "open")])[1] == ["filtered"]


@pytest.mark.parametrize("expected", ["open", "closed"])
def test_what_refuses_is_neither_open_nor_filtered(refusing, expected):
    assert seen([target(refusing, expected)]) == ({"open": 0, "filtered": 0, "refused": 1}, ["refused"])


def test_an_ipv6_address_is_tried_too():
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")
    with server:
        assert seen([target(server.getsockname()[1], "open", host="::1")])[1] == []


def test_an_unexpected_result_is_tried_once_more(silent):
    """The silent one keeps the first try waiting, and meanwhile the other begins to listen."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        starter = threading.Timer(TIMEOUT / 2, server.listen)
        starter.start()
        differences = seen([target(server.getsockname()[1], "open"), target(silent, "closed")])[1]
        starter.join()
    assert differences == []


def test_a_service_that_was_just_started_may_refuse_for_a_while():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        starter = threading.Timer(0.5, server.listen)
        starter.start()
        wanted = [target(server.getsockname()[1], "open")]
        assert check(wanted, TIMEOUT, start_timeout=20)[1] == []
        starter.join()


def test_what_goes_on_refusing_is_told_after_that_while(refusing):
    _counts, differences = check([target(refusing, "open")], TIMEOUT, start_timeout=0.5)
    assert [item["seen"] for item in differences] == ["refused"]


def test_more_targets_than_files_are_tried_in_turn(accepting):
    targets = [
        target(accepting, "open", host=f"127.0.{third}.{fourth}") for third in range(3) for fourth in range(1, 250)
    ]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (AT_ONCE + 100, hard))
    try:
        counts, _differences = check(targets, TIMEOUT)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sum(counts.values()) == len(targets)


def test_the_differences_are_a_table():
    differences = [
        {**target(3306, "open"), "seen": "filtered"},
        {**target(9100, "closed", host="10.20.0.31"), "name": "database2", "seen": "refused", "flow": "metrics"},
    ]
    assert table(differences).splitlines() == [
        "target     address     port      must be  is        flow",
        f"db1        127.0.0.1   3306/tcp  open     filtered  sql      {EXPLANATIONS['open', 'filtered']}",
        f"database2  10.20.0.31  9100/tcp  closed   refused   metrics  {EXPLANATIONS['closed', 'refused']}",
    ]


def run(capsys, targets):
    with patch_module_args({"targets": targets, "timeout": TIMEOUT}), pytest.raises(SystemExit):
        main()
    return json.loads(capsys.readouterr().out)


def test_the_module_returns_counts_and_changes_nothing(capsys, accepting):
    result = run(capsys, [{"name": "db1", "host": "127.0.0.1", "port": accepting, "expected": "open"}])
    assert result["changed"] is False
    assert (result["open"], result["filtered"], result["refused"], result["differences"]) == (1, 0, 0, [])


def test_the_module_fails_with_the_differences_only(capsys, accepting, refusing):
    result = run(capsys, [target(accepting, "open"), target(refusing, "closed")])
    assert result["failed"] is True
    assert result["msg"].splitlines()[0] == "1 of 2 connections are not as declared:"
    assert [item["port"] for item in result["differences"]] == [refusing]


def test_a_target_without_an_ip_address_is_refused(capsys):
    result = run(capsys, [target(22, "open", host="db1")])
    assert "give the IP address" in result["msg"]
