# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._service.survey import distribution, missing_packages

TRIXIE = 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n'
SID = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=forky\nID=debian\n'
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
