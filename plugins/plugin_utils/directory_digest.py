# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of a release: a fingerprint of the directory that it is made from."""

from __future__ import annotations

import hashlib
import os
import stat
import typing as t
from pathlib import Path

LENGTH = 12
CACHES = frozenset({"__pycache__"})
CACHE_SUFFIXES = frozenset({".pyc"})


class DirectoryDigestError(Exception):
    """The directory cannot be read as a release."""


def directory_digest(path: str) -> str:
    """Return a fingerprint of names, execute bits and contents under a directory.

    Times, owners and the other bits of modes differ between checkouts of the same release and do not count; neither
    do the caches that Python leaves beside its files.
    """
    root = Path(path)
    if not root.is_dir():
        raise DirectoryDigestError(f"{path} is not a directory on the controller; give the directory of the release")
    digest = hashlib.sha256()
    for file in release_files(root):
        for part in _parts(root, file):
            # The length first, so that no two different lists of parts read the same.
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:LENGTH]


def release_files(root: Path) -> list[Path]:
    """Return what a release is made of, always in the same order."""
    return sorted(_files(root), key=lambda file: file.relative_to(root).as_posix())


def _files(root: Path) -> t.Iterator[Path]:
    """Yield files and links; a link counts as its target's name and is never followed out of the release."""
    for parent, directories, names in os.walk(root, onerror=_refuse):
        linked = [name for name in directories if (Path(parent) / name).is_symlink()]
        directories[:] = [name for name in directories if name not in CACHES]
        yield from (Path(parent) / name for name in [*names, *linked] if Path(name).suffix not in CACHE_SUFFIXES)


def _parts(root: Path, file: Path) -> tuple[bytes, bytes, bytes]:
    name = os.fsencode(file.relative_to(root).as_posix())
    try:
        if file.is_symlink():
            return name, b"link", os.fsencode(os.readlink(file))
        return name, b"program" if file.stat().st_mode & stat.S_IXUSR else b"file", file.read_bytes()
    except OSError as exc:
        raise _error(exc) from exc


def _refuse(error: OSError) -> t.NoReturn:
    raise _error(error) from error


def _error(error: OSError) -> DirectoryDigestError:
    return DirectoryDigestError(f"{error.filename} cannot be read ({error.strerror}); a release must be readable whole")


__all__ = ("LENGTH", "DirectoryDigestError", "directory_digest", "release_files")
