# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as one archive: the same content always becomes the same bytes."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ansible_collections.webinfra.stack.plugins.plugin_utils.directory_digest import release_files

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DIRECTORY, _PROGRAM, _FILE = 0o755, 0o755, 0o644


class ReleaseArchiveError(Exception):
    """It cannot be packed as a release; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What an archive becomes on a disk."""

    bytes: int
    files: int


def pack_directory(source: str, target: Path) -> None:
    """Pack a directory, without the caches that Python leaves in it."""
    root = Path(source)
    with _writing(target) as archive:
        for path in release_files(root):
            member = archive.archive.gettarinfo(path, arcname=path.relative_to(root).as_posix())
            archive.add(member, path)


def repack(source: Path, target: Path) -> None:
    """Pack the content of an archive anew: as plain as our own, and without the directory that is around it all."""
    try:
        with tarfile.open(source) as old, _writing(target) as new:
            members = [member for member in old.getmembers() if PurePosixPath(member.name).as_posix() != "."]
            around = _directory_around(members)
            for member in sorted(members, key=lambda member: member.name):
                name = _name_within(member, around)
                if name and (member.isfile() or member.issym() or member.islnk()):
                    new.copy(old, member, name)
    except (tarfile.TarError, EOFError, OSError, UnicodeError) as exc:
        raise ReleaseArchiveError(f"{source} cannot be read as a tar archive: {exc}") from exc


def size_of(path: Path) -> Size:
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    return Size(bytes=sum(member.size for member in members), files=len(members))


class _writing:  # noqa: N801 - used like a function
    """A new archive that appears under its name only when it is complete."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> t.Self:
        handle, self._temporary = tempfile.mkstemp(dir=self._target.parent, prefix=".packing-")
        self._file = os.fdopen(handle, "wb")
        # Without a name and a time in its head, or the same content would be other bytes tomorrow.
        self._packer = gzip.GzipFile(filename="", mode="wb", fileobj=self._file, compresslevel=6, mtime=0)
        self.archive = tarfile.open(fileobj=self._packer, mode="w", format=tarfile.PAX_FORMAT)
        return self

    def __exit__(self, error: type[BaseException] | None, *_details: object) -> None:
        self.archive.close()
        self._packer.close()
        self._file.close()
        if error:
            os.unlink(self._temporary)
        else:
            os.replace(self._temporary, self._target)

    def add(self, member: tarfile.TarInfo, path: Path) -> None:
        plain = _plain(member)
        if plain.isreg():
            with path.open("rb") as content:
                self.archive.addfile(plain, content)
        else:
            self.archive.addfile(plain)

    def copy(self, old: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        content = None if member.issym() else old.extractfile(member)
        plain = tarfile.TarInfo(name)
        plain.type, plain.linkname = (tarfile.SYMTYPE, member.linkname) if member.issym() else (tarfile.REGTYPE, "")
        plain.mode = member.mode
        if content is not None:
            source = member if member.isfile() else old.getmember(member.linkname)
            plain.size = source.size
        self.archive.addfile(_plain(plain), content)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Forget whose it was and when: a release is root's, and what counts of its mode is whether it is a program."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mtime = 0
    member.pax_headers = {}
    if member.islnk():  # the second name of a file is a file of its own
        member.type, member.linkname = tarfile.REGTYPE, ""
    member.mode = _DIRECTORY if member.isdir() else _PROGRAM if member.mode & stat.S_IXUSR else _FILE
    return member


def _directory_around(members: Iterable[tarfile.TarInfo]) -> str:
    """Return the only name at the top, when it is a directory's."""
    tops = {parts[0] for parts in _parts(members)}
    beside = any(len(parts) == 1 and not member.isdir() for member, parts in zip(members, _parts(members), strict=True))
    return tops.pop() if len(tops) == 1 and not beside else ""


def _parts(members: Iterable[tarfile.TarInfo]) -> Iterator[tuple[str, ...]]:
    for member in members:
        yield tuple(part for part in PurePosixPath(member.name).parts if part != ".")


def _name_within(member: tarfile.TarInfo, around: str) -> str:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ReleaseArchiveError(f"{member.name} would be unpacked outside of the release; nothing was packed")
    parts = [part for part in path.parts if part != "."]
    return "/".join(parts[1:] if around and parts[0] == around else parts)


__all__ = ("ReleaseArchiveError", "Size", "pack_directory", "repack", "size_of")
