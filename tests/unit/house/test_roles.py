# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
import yaml
from ansible.playbook.block import Block
from ansible.playbook.task import Task

from .tree import PLAYBOOKS, ROLES, ROOT, load, name_of, task_files, tasks_of

KEYWORDS = set(Task.fattributes) | set(Block.fattributes) | {"listen"}
GROUPS = re.compile(r"(?<![\w.])groups\s*[\[.(|]|\bgroup_names\b|\b(?:load_balancers|web_servers|db_servers)\b")
COLLECTION_NAME = re.compile(r"\b((?:community|ansible|prometheus)\.[a-z]+)\.[a-z_0-9]+\b")

every_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def specification(role):
    """Return the options of all entry points of a role."""
    entries = load(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    return [(name, option) for entry in entries for name, option in (entry.get("options") or {}).items()]


def defaults(role):
    path = role / "defaults" / "main.yml"
    return (load(path) or {}) if path.exists() else {}


def actions(tasks):
    """Return what each task does, without the keywords around it."""
    return [
        (task.get("name", "(without a name)"), key)
        for task in tasks
        for key in task
        if key not in KEYWORDS and not key.startswith("with_")
    ]


@every_role
def test_the_defaults_are_those_of_the_specification(role):
    assert defaults(role) == {name: option["default"] for name, option in specification(role) if "default" in option}


@every_role
def test_what_is_required_has_no_default(role):
    required = {name for name, option in specification(role) if option.get("required")}
    assert not required & set(defaults(role))
    assert not [name for name, option in specification(role) if option.get("required") and "default" in option]


@every_role
def test_every_variable_carries_the_name_of_its_role(role):
    own = load(role / "vars" / "main.yml") if (role / "vars" / "main.yml").exists() else {}
    names = {name for name, _option in specification(role)} | set(defaults(role)) | set(own or {})
    assert sorted(name for name in names if not re.match(rf"(__)?{role.name}_", name)) == []


@every_role
def test_the_readme_names_every_variable(role):
    readme = role / "README.md"
    assert readme.exists()
    text = readme.read_text()
    assert [name for name, _option in specification(role) if f"`{name}`" not in text] == []


@every_role
def test_the_readme_shows_the_whole_default_of_a_collection(role):
    shown = dict(
        re.findall(r"^\| `(\w+)` \| (?:dict|list) \| `(.*?)` \|", (role / "README.md").read_text(), re.MULTILINE)
    )
    options = [(name, option) for name, option in specification(role) if option["type"] in {"dict", "list"}]
    declared = {name: option.get("default") for name, option in options if not option.get("required")}
    assert {name: yaml.safe_load(default) for name, default in shown.items()} == declared


@every_role
def test_a_role_knows_no_group_of_the_inventory(role):
    rooms = ("tasks", "handlers", "templates", "vars", "defaults", "files")
    files = [path for room in rooms for path in sorted((role / room).rglob("*")) if path.is_file()]
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if GROUPS.search(line)
    ]
    assert found == []


@every_role
def test_a_role_stands_alone(role):
    meta = role / "meta" / "main.yml"
    assert not (load(meta) or {}).get("dependencies")
    others = ("import_role", "include_role")
    found = [
        f"{name_of(path)}: {name}"
        for path in task_files(role)
        for name, action in actions(tasks_of(load(path)))
        if action.rpartition(".")[2] in others
    ]
    assert found == []


TASK_FILES = [path for role in ROLES for path in task_files(role)] + PLAYBOOKS


@pytest.mark.parametrize("path", TASK_FILES, ids=name_of)
def test_every_action_has_its_full_name(path):
    steps = [task for task in tasks_of(load(path)) if "hosts" not in task]
    assert [(name, action) for name, action in actions(steps) if action.count(".") < 2] == []


@pytest.mark.parametrize("path", TASK_FILES, ids=name_of)
def test_no_error_is_ignored(path):
    text = path.read_text()
    assert not re.search(r"^\s*(- )?ignore_errors\s*:", text, re.MULTILINE)


def test_the_dependencies_name_every_collection_that_is_used():
    files = [
        path for room in ("roles", "playbooks") for path in (ROOT / room).rglob("*") if path.suffix in {".yml", ".j2"}
    ]
    used = {name for path in files for name in COLLECTION_NAME.findall(path.read_text())} - {"ansible.builtin"}
    assert sorted(used - set(load(ROOT / "galaxy.yml")["dependencies"])) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("{{ groups['all'] }}", True),
        ("{{ groups.web_servers }}", True),
        ("when: inventory_hostname in groups [0]", True),
        ("when: \"'db' in group_names\"", True),
        ("for host in web_servers:", True),
        ("    groups: [docker]", False),
        ("{{ item.groups[0] }}", False),
        ("{{ load_balancer_servers }}", False),
    ],
)
def test_a_group_name_in_a_role_is_found(line, found):
    assert bool(GROUPS.search(line)) is found
