# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: the table of docs/architecture.md, in words that a program can check."""

from __future__ import annotations

import ast
import sys
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from pathlib import PurePosixPath

COLLECTION = ("ansible_collections", "webinfra", "stack", "plugins")
PURE_ROOMS = frozenset({"_replication", "_balancer", "_service", "_firewall", "_release"})
CONTROLLER_ROOMS = frozenset({"filter", "action", "lookup", "callback", "plugin_utils"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    rooms: frozenset[str] = frozenset()
    """Other rooms of this collection."""
    packages: tuple[str, ...] = ()
    """Packages beyond the standard library, with everything in them."""
    errors_from: frozenset[str] = frozenset()
    """Rooms from which exceptions may be imported and nothing else."""


RULES: dict[str, Rule] = {
    **dict.fromkeys(PURE_ROOMS, Rule()),
    "_sql": Rule(rooms=frozenset({"_replication"}), packages=("pymysql",)),
    "_seeding": Rule(rooms=frozenset({"_replication", "_sql"})),
    "_files": Rule(),
    "_proxy": Rule(rooms=frozenset({"_balancer"})),
    "_guard": Rule(rooms=frozenset({"_replication", "_sql", "_files"})),
    "_reporting": Rule(rooms=frozenset({"_replication", "_sql", "_files", "_firewall", "_service"})),
    "_module": Rule(rooms=PURE_ROOMS | {"_sql", "_seeding", "_files", "_proxy"}, packages=("ansible.module_utils",)),
    "modules": Rule(
        rooms=PURE_ROOMS | {"_module", "_files"},
        packages=("ansible.module_utils.basic",),
        errors_from=frozenset({"_sql"}),
    ),
    **dict.fromkeys(CONTROLLER_ROOMS, Rule(rooms=PURE_ROOMS | {"plugin_utils"}, packages=("ansible", "yaml"))),
    "plugin_utils": Rule(rooms=PURE_ROOMS, packages=("ansible", "yaml", "cryptography")),
    "doc_fragments": Rule(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    line: int
    module: tuple[str, ...]
    names: tuple[str, ...]
    relative: bool


def violations(path: PurePosixPath, source: str) -> list[str]:
    """Say what a file imports and must not; ``path`` is inside plugins/."""
    room = _room(path.parts)
    rule = RULES.get(room)
    if rule is None:
        return [f"{path}: nobody has said what the room {room} may import"]
    return [
        f"{path}:{found.line}: {complaint}"
        for found in _imports(path, ast.parse(source))
        if (complaint := _complaint(room, rule, found))
    ]


def _complaint(room: str, rule: Rule, found: Import) -> str | None:
    if found.module[: len(COLLECTION)] == COLLECTION:
        return _complaint_within(room, rule, found)
    name = ".".join(found.module)
    if found.module[0] in sys.stdlib_module_names:
        return None
    if any(name == package or name.startswith(f"{package}.") for package in rule.packages):
        return None
    return f"{room} may not import {name}"


def _complaint_within(room: str, rule: Rule, found: Import) -> str | None:
    """Judge an import from this collection."""
    name = ".".join(found.module)
    target = _room(found.module[len(COLLECTION) :])
    if found.relative != room.startswith("_"):
        return f"{name} is imported {'relatively' if found.relative else 'absolutely'}: module_utils alone is relative"
    if target == room or target in rule.rooms:
        return None
    if target not in rule.errors_from:
        return f"{room} may not import from {target} ({name})"
    others = [name for name in found.names if not name.endswith("Error")]
    return f"only exceptions may come from {target}, not {', '.join(others)}" if others else None


def _imports(path: PurePosixPath, tree: ast.Module) -> t.Iterator[Import]:
    package = (*COLLECTION, *path.parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(line=node.lineno, module=tuple(alias.name.split(".")), names=(), relative=False)
        elif isinstance(node, ast.ImportFrom):
            module = tuple(node.module.split(".")) if node.module else ()
            names = tuple(alias.name for alias in node.names)
            if node.level:
                module = (*package[: len(package) - node.level + 1], *module)
            if module in {COLLECTION, (*COLLECTION, "module_utils")}:
                # `from .. import _sql` names the room itself.
                for name in names:
                    yield Import(line=node.lineno, module=(*module, name), names=(), relative=bool(node.level))
            else:
                yield Import(line=node.lineno, module=module, names=names, relative=bool(node.level))


def _room(parts: t.Sequence[str]) -> str:
    """Return the room that a path or module inside plugins/ belongs to."""
    if not parts:
        return "plugins"
    return parts[1] if parts[0] == "module_utils" and len(parts) > 1 else parts[0]
