# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.sessions import (
    Session,
    parse_interfaces,
    parse_ports,
    parse_sockets,
    session_of_environment,
)

FIXTURES = Path(__file__).parent / "fixtures"
ROOT_LOGIN = (FIXTURES / "ss_6.15_root_login.txt").read_text()
UNPRIVILEGED_LOGIN = (FIXTURES / "ss_6.15_unprivileged_login.txt").read_text()


def session(peer, peer_port, address="172.17.0.3", port=22):
    return Session(peer=ip_address(peer), peer_port=peer_port, address=ip_address(address), port=port)


def test_sessions_are_found_and_forwarded_connections_are_not():
    assert parse_sockets(ROOT_LOGIN, {22}) == (session("172.17.0.4", 57168), session("172.17.0.4", 57178))


def test_a_connection_that_sshd_forwards_to_another_host_is_no_session():
    forwarded = 'ESTAB 0 0 172.17.0.3:49906 10.20.0.9:80 users:(("sshd-session",pid=13093,fd=8))\n'
    assert parse_sockets(forwarded, {22}) == ()


def test_a_session_whose_owner_cannot_be_seen_is_found_by_the_listener_of_sshd():
    assert parse_sockets(UNPRIVILEGED_LOGIN, ()) == (session("172.17.0.1", 56254, "172.17.0.5"),)


def test_a_session_is_found_by_the_configured_port_when_no_owner_can_be_seen():
    blind = "\n".join(line.partition("users:")[0] for line in UNPRIVILEGED_LOGIN.splitlines())
    assert parse_sockets(blind, {2222}) == ()
    assert parse_sockets(blind, {22}) == (session("172.17.0.1", 56254, "172.17.0.5"),)


def test_a_session_at_a_port_that_systemd_holds_is_found():
    text = (
        'LISTEN 0 4096 *:2222 *:* users:(("systemd",pid=1,fd=50))\n'
        'ESTAB 0 0 [::ffff:10.20.0.11]:2222 [::ffff:10.20.0.5]:40000 users:(("sshd",pid=9,fd=4))\n'
    )
    assert parse_sockets(text, {22}) == (session("10.20.0.5", 40000, "10.20.0.11", 2222),)


def test_addresses_lose_brackets_and_zones():
    text = 'LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=591,fd=7))\nESTAB 0 0 [fe80::1%eth0]:22 [fe80::2]:50000\n'
    assert parse_sockets(text, {22}) == (session("fe80::2", 50000, "fe80::1"),)


def test_a_session_within_the_host_needs_no_rule():
    text = "ESTAB 0 0 127.0.0.1:22 127.0.0.1:50000\nESTAB 0 0 10.20.0.1:22 10.20.0.1:50001\n"
    assert parse_sockets(text, {22}) == ()


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("", {22}),
        ("#Port 2222\nListenAddress 10.20.0.1\nListenAddress ::1\n", {22}),
        ("Port 2222\n  port = 2223\n", {2222, 2223}),
        ("ListenAddress 10.20.0.1:2224\nListenAddress [fd00::1]:2225\n", {2224, 2225}),
    ],
    ids=["nothing", "no port", "ports", "addresses with ports"],
)
def test_the_ports_of_sshd_are_read_from_its_configuration(text, ports):
    assert parse_ports(text) == ports


def test_the_session_of_the_environment_is_read():
    assert session_of_environment("10.20.0.5 40000 10.20.0.11 22") == (session("10.20.0.5", 40000, "10.20.0.11"),)
    assert session_of_environment("") == ()


def test_interfaces_are_found_by_their_addresses():
    text = (
        "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
        "69: eth0    inet6 fd00::3/64 scope global \\       valid_lft forever preferred_lft forever\n"
    )
    assert parse_interfaces(text) == {"127.0.0.1": "lo", "fd00::3": "eth0"}
