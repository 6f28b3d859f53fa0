# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.router_probe import router_probe


def test_the_filter_returns_the_packets_of_both_checks():
    assert router_probe("mariadb", "router_check").keys() == {"login", "query", "replica_query", "quit"}


def test_a_limit_without_a_heartbeat_is_a_filter_error():
    with pytest.raises(AnsibleFilterError, match="needs the schema of the heartbeat"):
        router_probe("mariadb", "router_check", "", 30)


def test_what_cannot_be_a_probe_is_a_filter_error():
    with pytest.raises(AnsibleFilterError, match="router_probe: there is no database engine 'oracle'"):
        router_probe("oracle", "router_check")
