# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.scrape_targets import scrape_targets

LB = {"name": "lb1", "address": "10.0.0.1", "groups": ["all", "load_balancers"]}
DB = {"name": "db1", "address": "10.0.0.3", "groups": ["all", "db_servers", "monitoring"]}
OTHER = {"name": "mail", "address": "10.0.0.9", "groups": ["all", "ungrouped"]}
NODE = {"job": "node", "group": "all", "port": 9100}
DATABASE = {"job": "database", "group": "db_servers", "port": "9104"}


def test_an_exporter_of_every_host_is_asked_on_every_host():
    assert [target.host for target in scrape_targets([NODE], [LB, DB, OTHER])] == ["lb1", "db1", "mail"]


def test_an_exporter_of_a_group_is_asked_there_alone():
    (target,) = scrape_targets([DATABASE], [LB, DB, OTHER])
    assert target.as_result() == {
        "job": "database",
        "host": "db1",
        "tier": "db_servers",
        "address": "10.0.0.3",
        "port": 9104,
    }


@pytest.mark.parametrize(
    ("host", "tier"),
    [(LB, "load_balancers"), (DB, "db_servers"), (OTHER, "other")],
    ids=["one group", "the first of two", "none of the topology"],
)
def test_a_host_has_the_tier_of_its_first_group(host, tier):
    (target,) = scrape_targets([NODE], [host])
    assert target.tier == tier
