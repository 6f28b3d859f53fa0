# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.router_probe import RouterProbeError, router_probe


def payload(packet):
    """Take a packet apart as the protocol says, and hold its head against its length."""
    assert int.from_bytes(packet[:3], "little") == len(packet) - 4
    return packet[3], packet[4:]


def login_fields(engine, user):
    sequence, content = payload(router_probe(engine, user).login)
    name, _, rest = content[32:].partition(b"\0")
    return {
        "sequence": sequence,
        "capabilities": int.from_bytes(content[0:4], "little"),
        "maximum packet": int.from_bytes(content[4:8], "little"),
        "collation": content[8],
        "reserved": content[9:32],
        "user": name,
        "answer": rest[1 : 1 + rest[0]],
        "plugin": rest[1 + rest[0] :],
    }


@pytest.mark.parametrize(
    ("engine", "plugin"), [("mariadb", b"mysql_native_password\0"), ("mysql", b"caching_sha2_password\0")]
)
def test_the_login_answers_the_greeting_without_a_password(engine, plugin):
    assert login_fields(engine, "router_check") == {
        "sequence": 1,
        "capabilities": 0x00088201,
        "maximum packet": 16777216,
        "collation": 45,
        "reserved": bytes(23),
        "user": b"router_check",
        "answer": b"",
        "plugin": plugin,
    }


def test_the_login_asks_for_no_capability_that_would_change_what_follows():
    connect_with_db, compress, ssl, lenenc = 1 << 3, 1 << 5, 1 << 11, 1 << 21
    assert not login_fields("mysql", "x")["capabilities"] & (connect_with_db | compress | ssl | lenenc)


def test_the_query_is_a_command_of_its_own():
    sequence, content = payload(router_probe("mariadb", "router_check").query)
    assert (sequence, content[0]) == (0, 3)
    assert content[1:] == b"SELECT IF(@@global.read_only,'IS-REPLICA','IS-PRIMARY') AS s"


def question(packet):
    sequence, content = payload(packet)
    assert (sequence, content[0]) == (0, 3)
    return content[1:].decode()


def test_a_replica_is_asked_how_old_its_heartbeat_is():
    asked = question(router_probe("mysql", "router_check", "we`bi-n%fra", 30).replica_query)
    # Neither older than allowed, nor written in the future: then one of the clocks is wrong, and no age can be told.
    assert "FROM `we``bi-n%fra`.heartbeat) BETWEEN -30 AND 30,'IS-REPLICA','IS-BEHIND')" in asked


def test_who_takes_writes_does_not_depend_on_the_heartbeat():
    assert "heartbeat" not in question(router_probe("mysql", "router_check", "webinfra", 30).query)


def test_without_a_limit_no_heartbeat_is_asked_for():
    probe = router_probe("mysql", "router_check", "webinfra", 0)
    assert probe.replica_query == probe.query


@pytest.mark.parametrize(("schema", "max_lag"), [("", 30), ("webinfra", -1)], ids=["no schema", "negative"])
def test_a_limit_that_cannot_be_asked_for_is_refused(schema, max_lag):
    with pytest.raises(RouterProbeError, match="needs the schema of the heartbeat"):
        router_probe("mariadb", "router_check", schema, max_lag)


def test_the_goodbye_is_one_byte():
    assert payload(router_probe("mariadb", "router_check").quit) == (0, b"\x01")


def test_the_result_is_hexadecimal():
    result = router_probe("mysql", "router_check").as_result()
    assert {name: bytes.fromhex(digits) for name, digits in result.items()}["quit"] == b"\x01\0\0\0\x01"


@pytest.mark.parametrize("user", ["", "a\0b", "x" * 33, "é" * 17, None, 7], ids=repr)
def test_a_name_that_is_no_account_is_refused(user):
    with pytest.raises(RouterProbeError, match="cannot be the account of a check"):
        router_probe("mariadb", user)


def test_an_unknown_engine_is_refused_with_those_that_are_known():
    with pytest.raises(RouterProbeError, match="no database engine 'postgres'; use mariadb or mysql"):
        router_probe("postgres", "router_check")
