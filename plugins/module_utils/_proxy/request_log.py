# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
from __future__ import annotations

import os

PATH = "/var/log/nginx/access.log"
_MOST_BYTES = 1_000_000


def last_lines(path: str = PATH) -> list[str]:
    """Return the end of a log: about five thousand requests, and none where nothing was logged yet."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _MOST_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return lines[1:] if size > _MOST_BYTES else lines


__all__ = ("PATH", "last_lines")
