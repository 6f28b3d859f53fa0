# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Worker processes of nginx, by the titles that they give themselves."""

from __future__ import annotations

import contextlib
import os

_WORKING = "nginx: worker process"


def working() -> frozenset[int]:
    """Return the workers that take new connections; one that is shutting down has another title."""
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/cmdline", "rb") as stream:
                if stream.read().rstrip(b"\0 ").decode(errors="replace") == _WORKING:
                    found.add(int(entry))
    return frozenset(found)


__all__ = ("working",)
