# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._reporting.host import (
    HostSight,
    failed,
    filters,
    held,
    metrics,
)

ACTIVE = """\
-P INPUT DROP
-P FORWARD DROP
-A INPUT -j ufw-before-logging-input
-A INPUT -j ufw-before-input
-A ufw-before-input -j ufw-user-input
"""
WELL = HostSight(reboot_required=False, firewall_active=True, failed_units=(), shared_addresses={})


@pytest.mark.parametrize(
    ("listing", "active"),
    [
        (ACTIVE, True),
        (ACTIVE.replace("-P INPUT DROP", "-P INPUT ACCEPT"), False),
        (ACTIVE.replace("-A INPUT -j ufw-before-input\n", ""), False),
        ("-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n", False),
    ],
    ids=["as the site leaves it", "open by default", "out of the path", "off"],
)
def test_a_firewall_is_active_when_it_decides(listing, active):
    assert filters(listing) is active


def test_failed_units_are_read():
    listing = "nginx.service loaded failed failed A high performance web server\n"
    assert failed(listing) == ("nginx.service",)
    assert failed("") == ()


def test_an_address_is_held_by_who_has_it_whatever_its_prefix():
    listing = "2: eth0    inet 10.0.0.11/24 scope global eth0\n2: eth0    inet 10.0.0.10/32 scope global eth0\n"
    assert held(listing, ["10.0.0.10", "10.0.0.1"]) == {"10.0.0.10": True, "10.0.0.1": False}


def test_a_well_host_says_so_in_figures():
    text = metrics(WELL, at=1700000000)
    assert "webinfra_host_firewall_active 1\n" in text
    assert "webinfra_host_reboot_required 0\n" in text
    assert "webinfra_host_report_complete 1\n" in text
    assert "unit_failed" not in text


def test_what_was_not_seen_is_not_said():
    blind = HostSight(reboot_required=False, firewall_active=None, failed_units=None, shared_addresses=None)
    text = metrics(blind, at=0)
    assert "firewall" not in text
    assert "webinfra_host_report_complete 0\n" in text


def test_each_failed_unit_and_each_shared_address_has_its_line():
    sight = HostSight(
        reboot_required=True,
        firewall_active=False,
        failed_units=("certbot.service",),
        shared_addresses={"10.0.0.10": True},
    )
    text = metrics(sight, at=0)
    assert 'webinfra_host_unit_failed{unit="certbot.service"} 1\n' in text
    assert 'webinfra_host_shared_address{address="10.0.0.10"} 1\n' in text
    assert "webinfra_host_firewall_active 0\n" in text
