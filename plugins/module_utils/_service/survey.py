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


def interface_addresses(listing: str) -> list[dict[str, str]]:
    """Read ``ip -o addr``: each address with its prefix, and the interface that has it."""
    rows = (line.split() for line in listing.splitlines())
    return [{"interface": row[1], "address": row[3]} for row in rows if row[2] in {"inet", "inet6"}]


def memory_mb(meminfo: str) -> int:
    """Return the host's memory in MiB; rule: proc_meminfo(5), which counts in KiB."""
    fields = dict(line.partition(":")[::2] for line in meminfo.splitlines())
    return int(fields["MemTotal"].split()[0]) // 1024


__all__ = ("distribution", "interface_addresses", "memory_mb", "missing_packages")
