# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with where the application's releases come from, before anything is fetched."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Finding
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_source import expected_digest, is_address

VARIABLE = "webinfra_app"


def check_application(application: t.Mapping[str, t.Any]) -> list[Finding]:
    """Find sources that no release can be made of, and hooks that are not there.

    Whether the source is there counts only where a release is missing.
    """
    return [
        Finding(where=VARIABLE, what=what, remedy=remedy)
        for what, remedy in (*_of_source(application), *_of_hooks(application))
    ]


def _of_source(application: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    source, ref, checksum = (str(application.get(name) or "") for name in ("source", "ref", "checksum"))
    if ref or not is_address(source) or expected_digest(checksum):
        return
    what = f"the archive {source} has no checksum" if not checksum else f"{checksum!r} is no SHA-256"
    remedy = "give checksum the 64 hexadecimal digits that sha256sum says of the archive, or ref for a git repository"
    yield what, remedy


def _of_hooks(application: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    hooks = application.get("hooks")
    # Another kind of value is told with the types of all variables.
    for name, path in (hooks if isinstance(hooks, dict) else {}).items():
        if not os.path.isabs(str(path)) or not os.path.isfile(str(path)):
            what = f"hooks.{name}: there is no file {path} on the controller"
            yield what, 'name a file of tasks by its whole path, for example "{{ inventory_dir }}/hooks/smoke_test.yml"'


__all__ = ("check_application",)
