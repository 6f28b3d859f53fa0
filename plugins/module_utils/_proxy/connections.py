# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Connections of this host, as the kernel lists them. Rule: proc_net_tcp of the kernel's documentation."""

from __future__ import annotations

import collections
import contextlib
import ipaddress
import struct
import typing as t

if t.TYPE_CHECKING:
    import collections.abc as c

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_OPEN = frozenset({"01", "02"})
"""Established, and about to be."""


def connections_to() -> collections.Counter[str]:
    """Count the open connections by the endpoint at the other end."""
    found: collections.Counter[str] = collections.Counter()
    for table in _TABLES:
        with contextlib.suppress(FileNotFoundError), open(table, encoding="ascii") as lines:  # no IPv6
            found.update(remote_endpoints(lines))
    return found


def remote_endpoints(lines: c.Iterable[str]) -> c.Iterator[str]:
    """Read the lines of one table, with its header."""
    for line in lines:
        fields = line.split()
        if len(fields) > 3 and fields[3] in _OPEN:  # noqa: PLR2004
            yield _endpoint(fields[2])


def _endpoint(text: str) -> str:
    """Turn C(1F51D50A:1F40) into C(10.213.81.31:8000); each 32 bits are printed in the order of the host."""
    digits, port = text.split(":")
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return f"[{address}]:{int(port, 16)}"
        address = address.ipv4_mapped
    return f"{address}:{int(port, 16)}"


__all__ = ("connections_to", "remote_endpoints")
