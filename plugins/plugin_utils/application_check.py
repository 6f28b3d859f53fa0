# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with where the application's releases come from, before anything is fetched."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Finding
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_source import expected_digest, is_address

VARIABLE = "webinfra_app"


def check_application(application: t.Mapping[str, t.Any]) -> list[Finding]:
    """Find sources that no release can be made of. Whether one is there counts only where a release is missing."""
    source, ref, checksum = (str(application.get(name) or "") for name in ("source", "ref", "checksum"))
    if ref or not is_address(source) or expected_digest(checksum):
        return []
    what = f"the archive {source} has no checksum" if not checksum else f"{checksum!r} is no SHA-256"
    remedy = "give checksum the 64 hexadecimal digits that sha256sum says of the archive, or ref for a git repository"
    return [Finding(where=VARIABLE, what=what, remedy=remedy)]


__all__ = ("check_application",)
