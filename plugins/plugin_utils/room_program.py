# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program for a host without Ansible: the files of the rooms that it needs, in one archive that Python runs."""

from __future__ import annotations

import ast
import io
import typing as t
import zipfile
from pathlib import Path

ROOMS = Path(__file__).resolve().parents[1] / "module_utils"
PACKAGE = "webinfra"
_MAIN = """\
import sys

from {package}.{room}.program import main

sys.exit(main(sys.argv[1:]))
"""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The first moment that an archive can name: the same files make the same archive at any time."""


class RoomProgramError(Exception):
    """There is no such program."""


def room_program(room: str) -> bytes:
    """Pack program.py of a room with everything that it imports from this collection."""
    first = Path(room, "program.py")
    if not (ROOMS / first).is_file():
        raise RoomProgramError(f"{room} is no room with a program; there is no {ROOMS / first}")
    packed = io.BytesIO()
    # Not compressed: another controller may have another library for that, and would make another file.
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry("__main__.py"), _MAIN.format(package=PACKAGE, room=room))
        archive.writestr(_entry(f"{PACKAGE}/__init__.py"), "")
        for path in sorted(_needed(first)):
            archive.writestr(_entry(f"{PACKAGE}/{path.as_posix()}"), (ROOMS / path).read_text(encoding="utf-8"))
    return packed.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _needed(first: Path) -> set[Path]:
    """Follow the imports from a file on."""
    found: set[Path] = set()
    waiting = [first]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting += [parent / "__init__.py" for parent in path.parents if parent != Path()]
        waiting += _imported(path)
    return found


def _imported(path: Path) -> t.Iterator[Path]:
    """Yield the files that a file imports from the rooms, which it does relatively."""
    for node in ast.walk(ast.parse((ROOMS / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for candidate in (origin, *(origin / alias.name for alias in node.names)):
                yield from (file for file in _files(candidate) if (ROOMS / file).is_file())


def _files(module: Path) -> tuple[Path, ...]:
    return (module.with_suffix(".py"), module / "__init__.py") if module != Path() else ()


__all__ = ("RoomProgramError", "room_program")
