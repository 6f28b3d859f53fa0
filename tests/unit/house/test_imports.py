# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from .import_rules import RULES, violations
from .tree import PLUGINS, python_files

HERE = "ansible_collections.webinfra.stack.plugins"
FILES = python_files("plugins")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PLUGINS).as_posix())
def test_a_file_imports_only_what_its_room_may(path):
    assert violations(PurePosixPath(path.relative_to(PLUGINS).as_posix()), path.read_text()) == []


@pytest.mark.parametrize("room", sorted(RULES))
def test_every_room_may_use_the_standard_library_and_itself(room):
    inside = f"module_utils/{room}/a.py" if room.startswith("_") else f"{room}/a.py"
    itself = "from .b import c" if room.startswith("_") else f"from {HERE}.{room}.b import c"
    assert violations(PurePosixPath(inside), f"import json\nfrom collections import abc\n{itself}\n") == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("module_utils/_replication/a.py", "import pymysql", "_replication may not import pymysql"),
        ("module_utils/_replication/a.py", "from .._balancer.b import c", "_replication may not import from _balancer"),
        ("module_utils/_replication/engines/a.py", "from ..._sql import b", "_replication may not import from _sql"),
        ("module_utils/_replication/engines/a.py", "from ... import _sql", "_replication may not import from _sql"),
        ("module_utils/_balancer/a.py", "from ansible.module_utils.basic import b", "_balancer may not import ansible"),
        ("module_utils/_balancer/a.py", "def f():\n    import yaml", "_balancer may not import yaml"),
        ("module_utils/_sql/a.py", "from .._module.b import c", "_sql may not import from _module"),
        (
            "module_utils/_sql/a.py",
            f"from {HERE}.module_utils._replication.b import c",
            "module_utils alone is relative",
        ),
        ("module_utils/_module/a.py", "import pymysql", "_module may not import pymysql"),
        ("module_utils/_module/a.py", "from ansible.errors import b", "_module may not import ansible.errors"),
        (
            "modules/a.py",
            f"from {HERE}.module_utils._sql.b import connect",
            "only exceptions may come from _sql, not con",
        ),
        ("modules/a.py", f"import {HERE}.plugin_utils.b", "modules may not import from plugin_utils"),
        (
            "modules/a.py",
            "from ansible.module_utils.urls import open_url",
            "modules may not import ansible.module_utils",
        ),
        ("modules/a.py", "from ..module_utils._module.b import c", "module_utils alone is relative"),
        ("filter/a.py", f"from {HERE}.module_utils._sql.b import SomeError", "filter may not import from _sql"),
        ("filter/a.py", "import requests", "filter may not import requests"),
        ("terminal/a.py", "import json", "nobody has said what the room terminal may import"),
    ],
)
def test_a_violation_is_found(path, source, complaint):
    (found,) = violations(PurePosixPath(path), source)
    assert complaint in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("modules/a.py", f"from {HERE}.module_utils._sql.b import ConnectionFailedError"),
        ("modules/a.py", "from ansible.module_utils.basic import AnsibleModule"),
        ("module_utils/_sql/a.py", "import pymysql.cursors"),
        ("module_utils/_sql/a.py", "from .._replication import b"),
        ("action/a.py", "from ansible.plugins.action import ActionBase"),
    ],
)
def test_what_the_table_allows_is_no_violation(path, source):
    assert violations(PurePosixPath(path), source) == []
