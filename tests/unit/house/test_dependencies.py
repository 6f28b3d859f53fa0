# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from pathlib import Path

import ansible
import pytest

from .tree import ROOT, load

DEPENDENCIES = load(ROOT / "galaxy.yml")["dependencies"]


def numbers(version):
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def test_the_requirements_have_the_bounds_of_the_collection():
    requirements = load(ROOT / "requirements.yml")["collections"]
    assert {each["name"]: each["version"] for each in requirements} == DEPENDENCIES


@pytest.mark.parametrize("name", DEPENDENCIES)
def test_a_bound_is_a_lower_one(name):
    assert re.fullmatch(r">=\d+\.\d+\.\d+", DEPENDENCIES[name])


@pytest.mark.parametrize("name", DEPENDENCIES)
def test_the_development_environment_brings_what_a_bound_demands(name):
    packages = Path(ansible.__file__).parents[1] / "ansible_collections"
    manifest = packages.joinpath(*name.split("."), "MANIFEST.json")
    brought = json.loads(manifest.read_text())["collection_info"]["version"]
    assert numbers(brought) >= numbers(DEPENDENCIES[name])
