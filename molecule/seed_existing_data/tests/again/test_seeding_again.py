# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A replica with data of its own was seeded anew: it follows, and what it had is kept aside."""

from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import Scenario


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


def test_what_only_the_replica_had_is_gone_from_it(scenario):
    assert "stray" not in scenario.sql("db2", "SHOW DATABASES")


def test_what_only_the_replica_had_is_kept_aside(scenario):
    kept = scenario.host("db2").check_output("find /var/lib/mysql* -path '*aside-*/stray/only_here*'")
    assert kept


def test_the_old_data_is_no_database_of_the_server(scenario):
    assert "webinfra-" not in scenario.sql("db2", "SHOW DATABASES").replace("#mysql50#", "webinfra-")


def test_the_replica_follows(scenario):
    assert scenario.link("db2").count("_Running: Yes") == 2
