# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of the house are, and how they are read."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.y*ml"))
WIRING_FILES = sorted((ROOT / "playbooks/roles/wiring/vars/main").glob("*.yml"))


# The loader on libyaml, where PyYAML was built with it, takes a tenth of the time.
FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(FastLoader):
    """Reads Ansible's own tags as the plain values behind them."""


Loader.add_constructor("!vault", lambda loader, node: loader.construct_scalar(node))
Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


@functools.cache
def load(path: Path) -> t.Any:
    """Read a file once for all tests: none of them changes what it got."""
    with path.open() as stream:
        return yaml.load(stream, Loader)  # noqa: S506 - a subclass of a safe loader


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python_files(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py")) if "__pycache__" not in path.parts]


def task_files(role: Path) -> list[Path]:
    return sorted(path for room in ("tasks", "handlers") for path in (role / room).glob("*.y*ml"))


def tasks_of(content: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield all tasks of a list of tasks or plays, those in blocks included, but not the blocks and plays."""
    for entry in content or []:
        inner = [
            key
            for key in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
            if isinstance(entry.get(key), list)
        ]
        for key in inner:
            yield from tasks_of(entry[key])
        if not inner:
            yield entry
