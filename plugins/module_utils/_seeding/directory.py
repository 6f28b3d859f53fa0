# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The data directory of a server: what is in it goes aside, and something else comes in.

Its contents are moved and not the directory: that is often a mount point, which cannot be renamed. What goes aside and
what comes in is kept in a subdirectory of it then, on the same file system, so that moving is renaming.
"""

from __future__ import annotations

import os
import shutil
import time

WORKROOM = ".webinfra"
"""Inside the data directory; the server is told not to take it for a database."""
_NOT_DATA = ("binlog", "relay", "mysql-bin", "mariadb-bin", "ib_logfile", "#innodb_redo", "ibtmp", WORKROOM)


def workroom(directory: str) -> str:
    """Return where the other contents are kept: beside the directory, or in it when it is a file system of its own."""
    parent = os.path.dirname(os.path.normpath(directory))
    if os.stat(parent).st_dev == os.stat(directory).st_dev:
        return f"{os.path.normpath(directory)}{WORKROOM}"
    return os.path.join(directory, WORKROOM)


def staging(directory: str) -> str:
    return os.path.join(workroom(directory), "staging")


def place_aside(directory: str) -> str:
    """Name a place for the old contents."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return os.path.join(workroom(directory), f"aside-{moment}")


def make(path: str, owner: tuple[int, int]) -> None:
    """Create a directory that only the server may read, anew if it exists."""
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        os.makedirs(parent, mode=0o700)
        os.chown(parent, *owner)
    discard(path)
    os.mkdir(path, mode=0o700)
    os.chown(path, *owner)


def move_contents(source: str, target: str) -> None:
    """Move what is in one directory into another; may be repeated after an interruption."""
    os.makedirs(target, mode=0o700, exist_ok=True)
    for name in sorted(os.listdir(source)):
        if name != WORKROOM:
            os.rename(os.path.join(source, name), os.path.join(target, name))
    _sync(source)
    _sync(target)


def discard(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)


def discard_workroom(directory: str) -> None:
    """Remove the workroom if nothing is kept in it."""
    room = workroom(directory)
    if os.path.isdir(room) and not os.listdir(room):
        os.rmdir(room)


def hand_over(path: str, owner: tuple[int, int]) -> None:
    """Give everything in a directory to the server's user."""
    for folder, _folders, files in os.walk(path):
        os.chown(folder, *owner)
        for name in files:
            os.chown(os.path.join(folder, name), *owner)


def owner_of(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_uid, status.st_gid


def free_bytes(path: str) -> int:
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def data_bytes(directory: str) -> int:
    """Return the size of what a copy of a server consists of: not its logs, not what was put aside."""
    total = 0
    for folder, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith(_NOT_DATA)]
        for name in files:
            if not name.startswith(_NOT_DATA):
                total += _size(os.path.join(folder, name))
    return total


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0  # the server works on


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


__all__ = (
    "data_bytes",
    "discard",
    "discard_workroom",
    "free_bytes",
    "hand_over",
    "make",
    "move_contents",
    "owner_of",
    "place_aside",
    "staging",
    "workroom",
)
