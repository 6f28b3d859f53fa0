# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
from __future__ import annotations

import shlex
import typing as t

NAMES = {"debian": "Debian", "ubuntu": "Ubuntu"}


def distribution(os_release: str) -> tuple[str, str]:
    """Return name and version of the distribution; rule: os-release(5). Debian unstable has no number, only a name."""
    fields = {}
    for line in shlex.split(os_release, comments=True):
        key, _, value = line.partition("=")
        fields[key] = value
    identity = fields.get("ID", "")
    return NAMES.get(identity, identity), fields.get("VERSION_ID") or fields.get("VERSION_CODENAME", "")


def missing_packages(wanted: t.Sequence[str], listing: str) -> list[str]:
    """Return the wanted packages that ``dpkg-query`` does not list as installed."""
    installed = {
        name for name, _, state in (line.partition(" ") for line in listing.splitlines()) if state == "installed"
    }
    return [name for name in wanted if name not in installed]


__all__ = ("distribution", "missing_packages")
