# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest

from .tree import PLAYBOOKS, ROOT, name_of


@pytest.mark.parametrize("path", PLAYBOOKS, ids=name_of)
def test_a_playbook_can_be_called_by_its_full_name(path):
    # A dash in the name of a file makes webinfra.stack.<name> impossible.
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.yml", path.name)


def test_no_group_variables_stand_beside_the_playbooks():
    # They would outrank group_vars/all of the user's inventory.
    assert not (ROOT / "playbooks" / "group_vars").exists()
