# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A log to which lines are added and from which none is taken."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import struct
import typing as t

if t.TYPE_CHECKING:
    import collections.abc as c

_READABLE_BY_THE_GROUP = 0o640
_GET_FLAGS, _SET_FLAGS, _APPEND_ONLY = 0x80086601, 0x40086602, 0x20
"""FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_APPEND_FL of linux/fs.h, on 64 bits."""


class AuditError(Exception):
    """The line cannot be written; the text says why."""


def audit_line(entry: c.Mapping[str, t.Any], moment: dt.datetime) -> str:
    """Write an entry as one line of JSON, the time first."""
    at = moment.astimezone(dt.timezone.utc).isoformat(timespec="milliseconds")
    told = {name: value for name, value in entry.items() if value is not None}
    return json.dumps({"at": at, **told}, ensure_ascii=False) + "\n"


def append_line(path: str, line: str) -> bool:
    """Add a line that survives a crash, and tell whether the file system lets nobody take lines away."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _READABLE_BY_THE_GROUP)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
            return _protect(handle)
        finally:
            os.close(handle)
    except OSError as exc:
        raise AuditError(
            f"Nothing can be written to {path}: {exc.strerror}. What to do: see that its file system has space and is "
            "writable"
        ) from exc


def _protect(handle: int) -> bool:
    """Ask the file system to forbid all but appending; not every one can, and not every container may."""
    with contextlib.suppress(OSError):
        (flags,) = struct.unpack("l", fcntl.ioctl(handle, _GET_FLAGS, struct.pack("l", 0)))
        if not flags & _APPEND_ONLY:
            fcntl.ioctl(handle, _SET_FLAGS, struct.pack("l", flags | _APPEND_ONLY))
        return True
    return False


__all__ = ("AuditError", "append_line", "audit_line")
