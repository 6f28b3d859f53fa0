# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a release comes from: a directory, an archive, a URL or a git repository, all seen from the controller."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import tempfile
import typing as t
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.webinfra.stack.plugins.plugin_utils.directory_digest import (
    LENGTH,
    DirectoryDigestError,
    directory_digest,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_archive import (
    ReleaseArchiveError,
    pack_directory,
    repack,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATIENCE = 300
_CHUNK = 1024 * 1024


class ReleaseSourceError(Exception):
    """No release can be made from this; the text says what, where, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSource:
    """A source that is settled: what it is now has a name."""

    location: str
    kind: t.Literal["directory", "archive", "url", "git"]
    release: str
    revision: str
    """The commit, or the checksum of the archive; nothing for a directory, whose name says all."""

    def pack(self, folder: str, name: str) -> Path:
        """Return the packed release, packing it when nobody has."""
        target = Path(folder) / f"{name}-{self.release}.tar.gz"
        try:
            Path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            with _alone(Path(folder) / ".packing"):
                if not target.exists():
                    _PACKERS[self.kind](self, target)
        except ReleaseArchiveError as exc:
            raise ReleaseSourceError(f"{self.location} is no release: {exc}") from exc
        except OSError as exc:
            raise ReleaseSourceError(f"{self.location} cannot be packed into {folder}: {exc}") from exc
        return target


def settle(location: str, *, ref: str = "", checksum: str = "") -> ReleaseSource:
    """Find out what the source is now."""
    if ref:
        commit = _commit_of(location, ref)
        return ReleaseSource(location=location, kind="git", release=commit[:LENGTH], revision=commit)
    if is_address(location):
        digest = expected_digest(checksum)
        if not digest:
            raise ReleaseSourceError(
                f"{location} needs the SHA-256 of what is expected there (checksum), 64 hexadecimal digits: what comes "
                "from a network is checked before it runs"
            )
        return ReleaseSource(location=location, kind="url", release=digest[:LENGTH], revision=digest)
    location = os.path.expanduser(location)
    if os.path.isdir(location):
        try:
            release = directory_digest(location)
        except DirectoryDigestError as exc:
            raise ReleaseSourceError(str(exc)) from exc
        return ReleaseSource(location=location, kind="directory", release=release, revision="")
    if os.path.isfile(location):
        digest = _sha256(Path(location))
        return ReleaseSource(location=location, kind="archive", release=digest[:LENGTH], revision=digest)
    raise ReleaseSourceError(
        f"{location} is neither a directory nor an archive on the controller, nor a web address. What to do: correct "
        "the source, or give the ref of a git repository"
    )


def is_address(location: str) -> bool:
    """Tell whether it is the address of an archive, and no path."""
    return re.match(r"https?://", location) is not None


def expected_digest(checksum: str) -> str:
    """Return the digits of a SHA-256, nothing for what is none."""
    digest = checksum.lower().removeprefix("sha256:")
    return digest if _SHA256.fullmatch(digest) else ""


def _pack_directory(source: ReleaseSource, target: Path) -> None:
    pack_directory(source.location, target)


def _pack_archive(source: ReleaseSource, target: Path) -> None:
    repack(Path(source.location), target)


def _pack_url(source: ReleaseSource, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
        fetched = Path(folder) / "archive"
        try:
            with (
                urllib.request.urlopen(source.location, timeout=_PATIENCE) as answer,  # noqa: S310 - https or http only
                fetched.open("wb") as file,
            ):
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
        except (urllib.error.URLError, OSError) as exc:
            raise ReleaseSourceError(f"{source.location} cannot be fetched: {exc}") from exc
        if (digest := _sha256(fetched)) != source.revision:
            raise ReleaseSourceError(
                f"{source.location} is not what was expected: its SHA-256 is {digest}, and should be {source.revision}"
            )
        repack(fetched, target)


def _pack_git(source: ReleaseSource, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
        _git("init", "--quiet", "--bare", folder)
        try:
            _git("-C", folder, "fetch", "--quiet", "--depth=1", "--", source.location, source.revision)
        except ReleaseSourceError:
            # Not every server gives a commit by its name.
            _git("-C", folder, "fetch", "--quiet", "--tags", "--", source.location, "+refs/*:refs/fetched/*")
        packed = Path(folder) / "release.tar"
        _git("-C", folder, "archive", "--format=tar", f"--output={packed}", "--prefix=release/", source.revision)
        repack(packed, target)


_PACKERS: dict[str, t.Callable[[ReleaseSource, Path], None]] = {
    "directory": _pack_directory,
    "archive": _pack_archive,
    "url": _pack_url,
    "git": _pack_git,
}


def _commit_of(repository: str, ref: str) -> str:
    """Return the commit that a branch or a tag is now; one that is given by its name is taken as it is."""
    if _COMMIT.fullmatch(ref):
        return ref
    listed = _git("ls-remote", "--", repository, ref, f"{ref}^{{}}").splitlines()
    names = {name: commit for commit, _tab, name in (line.partition("\t") for line in listed)}
    # The commit behind an annotated tag; and a tag before a branch of the same name, as git has it.
    for name in (f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}", f"{ref}^{{}}", ref):
        if name in names:
            return names[name]
    raise ReleaseSourceError(
        f"{repository} has no branch or tag {ref}. What to do: correct the ref, push it, or give a whole commit"
    )


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words],
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError as exc:
        raise ReleaseSourceError("There is no git on the controller; install it, or give a directory") from exc
    except subprocess.TimeoutExpired as exc:
        raise ReleaseSourceError(f"git {words[0]} has not ended within {_PATIENCE} seconds") from exc
    if done.returncode != 0:
        raise ReleaseSourceError(f"git has failed: {done.stderr.strip()}")
    return done.stdout


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Pack once, though every host's worker comes at the same moment."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


__all__ = ("ReleaseSource", "ReleaseSourceError", "expected_digest", "is_address", "settle")
