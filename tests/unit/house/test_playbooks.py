# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re

import pytest

from .tree import PLAYBOOKS, ROOT, WIRING_FILES, load, name_of


@pytest.mark.parametrize("path", PLAYBOOKS, ids=name_of)
def test_a_playbook_can_be_called_by_its_full_name(path):
    # A dash in the name of a file makes webinfra.stack.<name> impossible.
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.yml", path.name)


LOOKING = {"deploy_status", "preflight", "status", "verify"}
OTHERS_HOSTS = {"demo", "demo_down", "demo_hosts", "drill"}


@pytest.mark.parametrize("path", PLAYBOOKS, ids=name_of)
def test_what_changes_a_stack_shows_it_at_its_end(path):
    if path.stem not in LOOKING | OTHERS_HOSTS:
        assert load(path)[-1].get("ansible.builtin.import_playbook") in {"verify.yml", "status.yml"}


def test_no_group_variables_stand_beside_the_playbooks():
    # They would outrank group_vars/all of the user's inventory.
    assert not (ROOT / "playbooks" / "group_vars").exists()


@pytest.mark.parametrize("path", PLAYBOOKS, ids=name_of)
def test_the_wiring_is_read_once_and_not_for_every_task(path):
    """Ansible parses vars_files anew for each host and task; that was a third of a run that changes nothing."""
    files = [file for play in load(path) for file in play.get("vars_files", [])]
    assert set(files) <= {"vars/demo.yml", "vars/drill.yml"}


@pytest.mark.parametrize("path", [*sorted((ROOT / "playbooks/vars").glob("*.yml")), *WIRING_FILES], ids=name_of)
def test_no_variable_refers_to_itself(path):
    """Up to ansible-core 2.18 that is a loop, even between two keys of one dictionary."""
    found = [name for name, value in load(path).items() if re.search(rf"(?<![\w.]){name}(?!\w)", json.dumps(value))]
    assert found == []


YAML_FILES = sorted(path for room in ("roles", "playbooks") for path in (ROOT / room).rglob("*.yml"))


@pytest.mark.parametrize("path", YAML_FILES, ids=name_of)
def test_numbers_are_made_numbers_before_they_are_multiplied(path):
    """On a command line every value is text, and text times 3600 is a very long text."""
    factors = re.findall(r"(\w+)\)? \* \d", path.read_text())
    assert {factor for factor in factors if not factor.isdigit()} <= {"int"}
