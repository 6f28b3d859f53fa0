# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ast

import pytest
import yaml

from .tree import PLUGINS, name_of, python_files

MODULES = python_files("plugins/modules")
WITH_EXAMPLES = MODULES + python_files("plugins/filter")

every_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def documents(path):
    """Return the documents that stand in a plugin as constants, read as YAML."""
    constants = {
        target.id: node.value.value
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return {
        name: yaml.safe_load(constants[name]) for name in ("DOCUMENTATION", "EXAMPLES", "RETURN") if name in constants
    }


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
