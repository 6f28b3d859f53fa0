# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest

from .tree import ROOT, name_of

# Statements (MASTER, SLAVE) and names of settings (gtid_slave_pos) are the engines' own and stay as they are. So does
# the socket of HAProxy's first process.
OLD_WORDS = re.compile(r"(?<![\w-])(?:[Mm]aster|[Ss]lave)s?(?![\w-]|\.sock)")
ROOMS = ("plugins", "roles", "playbooks", "inventory", "molecule", "docs", "tests", "scripts", "meta")
SUFFIXES = {".py", ".yml", ".j2", ".md", ".sh", ".html", ".css", ".cfg", ".toml", ".txt"}
ENGINE_ROOMS = (
    "plugins/module_utils/_replication/engines/",
    "tests/unit/house/",
    "tests/unit/module_utils/balancer/test_haproxy.py",
)
FILES = [path for path in ROOT.iterdir() if path.is_file()] + [
    path for room in ROOMS for path in sorted((ROOT / room).rglob("*")) if path.is_file()
]
LICENSED = [
    path
    for path in FILES
    if path.suffix == ".py" and path.stat().st_size and "__pycache__" not in path.parts and path.parent != ROOT
]


def test_servers_are_called_primary_and_replica():
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in FILES
        if path.suffix in SUFFIXES and not name_of(path).startswith(ENGINE_ROOMS)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if OLD_WORDS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("The slave follows its master.", True),
        ("Masters are writable", True),
        ("STOP SLAVE; CHANGE MASTER TO", False),
        ("SELECT @@gtid_slave_pos", False),
        ("--log-slave-updates", False),
        ("-S /run/database-router/master.sock", False),
    ],
)
def test_an_old_word_is_found_where_it_is_not_the_engines_own(line, found):
    assert bool(OLD_WORDS.search(line)) is found


@pytest.mark.parametrize("path", LICENSED, ids=name_of)
def test_a_python_file_says_under_which_licence_it_stands(path):
    head = path.read_text().split("from __future__", 1)[0]
    own = "BSD-2-Clause" if "module_utils" in path.relative_to(ROOT).parts[:2] else "GPL-3.0-or-later"
    assert "# Copyright: (c) the webinfra.stack authors" in head
    assert f"# SPDX-License-Identifier: {own}" in head
