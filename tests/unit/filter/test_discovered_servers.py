# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.webinfra.stack.plugins.filter.discovered_servers import discovered_servers

MEMBERS = [{"name": "db1", "address": "10.0.0.31"}, {"name": "db2", "address": "10.0.0.32"}]


def test_a_member_gets_what_it_said():
    hostvars = {"db1": {"seen": {"replication": {"role": "primary"}}}, "db2": {}}
    assert discovered_servers(MEMBERS, hostvars, "seen")[0] == {
        "name": "db1",
        "host": "10.0.0.31",
        "replication": {"role": "primary"},
    }


def test_a_member_that_was_not_asked_is_unknown():
    assert discovered_servers(MEMBERS, {"db1": {}, "db2": {"seen": {"skipped": True}}}, "seen") == [
        {"name": "db1", "host": "10.0.0.31", "replication": None},
        {"name": "db2", "host": "10.0.0.32", "replication": None},
    ]
