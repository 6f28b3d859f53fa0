# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._service.survey import (
    distribution,
    interface_addresses,
    memory_mb,
    missing_packages,
)

TRIXIE = 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n'
SID = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=forky\nID=debian\n'
ADDRESSES = (
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "7: eth0    inet 10.20.0.11/24 brd 10.20.0.255 scope global eth0\\       valid_lft forever preferred_lft forever\n"
    "7: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever\n"
)
NOBLE = 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [(TRIXIE, ("Debian", "13")), (SID, ("Debian", "forky")), (NOBLE, ("Ubuntu", "24.04")), ("", ("", ""))],
    ids=["Debian 13", "Debian unstable", "Ubuntu", "nothing"],
)
def test_the_distribution_is_named_as_its_users_name_it(text, found):
    assert distribution(text) == found


def test_a_package_that_dpkg_never_heard_of_is_missing():
    assert missing_packages(["ufw", "haproxy"], "ufw installed\n") == ["haproxy"]


def test_a_removed_package_whose_configuration_is_left_is_missing():
    assert missing_packages(["ufw"], "ufw config-files\n") == ["ufw"]


def test_nothing_is_missing_when_all_are_installed():
    assert missing_packages(["ufw"], "ufw installed\n") == []


def test_the_memory_is_told_in_mebibytes():
    assert memory_mb("MemTotal:        8142848 kB\nMemFree:          200000 kB\n") == 7952


def test_an_address_is_told_with_its_network_and_its_interface():
    assert interface_addresses(ADDRESSES) == [
        {"interface": "lo", "address": "127.0.0.1/8"},
        {"interface": "eth0", "address": "10.20.0.11/24"},
        {"interface": "eth0", "address": "fe80::1/64"},
    ]
    assert interface_addresses("") == []
