# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ast
import functools
import importlib

import pytest
import yaml

from .tree import PLUGINS, FastLoader, name_of, python_files

COLLECTION = "ansible_collections.webinfra.stack.plugins"
MODULES = python_files("plugins/modules")
WITH_EXAMPLES = MODULES + python_files("plugins/filter")

every_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


class Strict(FastLoader):
    """Refuses a key that stands twice: YAML takes the last one and says nothing."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _value in node.value]
        assert sorted(keys) == sorted(set(keys)), f"twice the same key{node.start_mark}"
        return super().construct_mapping(node, deep=deep)


def read(text):
    return yaml.load(text, Strict)  # noqa: S506 - a subclass of a safe loader


@functools.cache
def documents(path):
    """Return the documents that stand in a plugin as constants, read as YAML."""
    constants = {
        target.id: node.value.value
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {name: read(constants[name]) for name in ("DOCUMENTATION", "EXAMPLES", "RETURN") if name in constants}


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_a_plugin_is_documented_with_examples_and_results(path):
    found = documents(path)
    assert found.keys() == {"DOCUMENTATION", "EXAMPLES", "RETURN"}
    assert found["DOCUMENTATION"].keys() >= {"short_description", "version_added", "author"}
    assert found["EXAMPLES"]


@every_module
def test_a_module_says_what_check_mode_does(path):
    documentation = documents(path)["DOCUMENTATION"]
    assert documentation["module"] == path.stem
    support = {name: attribute["support"] for name, attribute in documentation["attributes"].items()}
    assert support.keys() >= {"check_mode", "diff_mode", "platform"}
    if support["check_mode"] == "full" and not (PLUGINS / "action" / path.name).exists():
        assert "supports_check_mode=True" in path.read_text()


@every_module
def test_every_result_of_a_module_has_a_sample(path):
    results = documents(path)["RETURN"] or {}
    assert [name for name, result in results.items() if not result.keys() & {"sample", "contains"}] == []


class Seen(Exception):  # noqa: N818 - it carries an answer
    pass


def terms(options):
    """Return what an interface promises of each option: its type, whether it is required, its default and choices."""
    return {
        name: (
            option.get("type", "str"),
            option.get("required", False),
            option.get("default"),
            option.get("choices"),
            option.get("elements"),
        )
        for name, option in options.items()
    }


def accepted_by(module, monkeypatch):
    """Return the options that a module's program accepts."""

    def see(argument_spec, **_means):
        raise Seen(argument_spec)

    monkeypatch.setattr(module, "AnsibleModule", see)
    with pytest.raises(Seen) as caught:
        module.main()
    return caught.value.args[0]


def documented_in(module):
    """Return the options that its documentation names, those of its fragments included."""
    documentation = read(module.DOCUMENTATION)
    options = {}
    for fragment in documentation.get("extends_documentation_fragment", []):
        room = importlib.import_module(f"{COLLECTION}.doc_fragments.{fragment.rpartition('.')[2]}")
        options |= read(room.ModuleDocFragment.DOCUMENTATION).get("options") or {}
    for name, option in (documentation.get("options") or {}).items():
        options[name] = {**options.get(name, {}), **option}
    return options


PROGRAMS = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py") if "def main" in path.read_text())


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_module_documents_exactly_the_options_that_it_accepts(name, monkeypatch):
    module = importlib.import_module(f"{COLLECTION}.modules.{name}")
    assert terms(accepted_by(module, monkeypatch)) == terms(documented_in(module))
