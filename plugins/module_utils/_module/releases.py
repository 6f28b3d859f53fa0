# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The releases of an application on this host: unpacked, built, migrated, switched and removed."""

from __future__ import annotations

import base64
import binascii
import contextlib
import dataclasses
import datetime as dt
import fcntl
import io
import os
import pwd
import shutil
import stat
import tarfile
import typing as t

from .._release.lock import DeployLock
from .._release.record import ENVIRONMENT, MIGRATED, RECORD, Release, Shelf
from .host import link_at_once, read, write_at_once

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible.module_utils.basic import AnsibleModule

LOCKS = "/var/lib/webinfra/deploys"
_BLOCK = 4096
_RESERVE = 64 * 1024 * 1024
"""Bytes that an unpacked release leaves free: the host's logs need a place as well."""
_LAST_LINES = 15


class ReleaseError(Exception):
    """It did not come to the release; the text says what stands now and what to do."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A release as it was carried over."""

    path: str | None
    content: str | None
    """In base64, where it is small enough to come along with the question."""
    unpacked_bytes: int
    unpacked_files: int
    packed_at: int
    """Seconds since 1970. All files get this time, the same on all hosts: web servers make tags for caches of it."""

    @property
    def here(self) -> bool:
        return self.path is not None or self.content is not None

    def open(self) -> tarfile.TarFile:
        try:
            if self.content is not None:
                return tarfile.open(fileobj=io.BytesIO(base64.b64decode(self.content, validate=True)))
            return tarfile.open(self.path)
        except (OSError, tarfile.TarError, binascii.Error) as exc:
            raise ReleaseError(f"The archive of the release cannot be read: {exc}. Nothing was changed") from exc


class Home:
    """The directory of one application."""

    def __init__(self, module: AnsibleModule, name: str, path: str | None = None) -> None:
        self._module = module
        self.name = name
        self.path = path or f"/srv/{name}"
        self._releases = os.path.join(self.path, "releases")
        self._current = os.path.join(self.path, "current")
        self._previous = os.path.join(self.path, "previous")

    @contextlib.contextmanager
    def locked(self) -> c.Iterator[None]:
        """Let no other process of this host change releases meanwhile."""
        handle = os.open(f"/run/webinfra-{self.name}.lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def look(self) -> Shelf:
        releases, incomplete = [], []
        for name in sorted(os.listdir(self._releases)) if os.path.isdir(self._releases) else []:
            release = Release.from_text((read(os.path.join(self._releases, name, RECORD)) or b"").decode())
            if release is not None and release.id == name:
                releases.append(release)
            else:
                incomplete.append(name)
        return Shelf(
            releases=tuple(releases),
            current=_target(self._current),
            previous=_target(self._previous),
            incomplete=tuple(incomplete),
        )

    def directory(self, release: str) -> str:
        return os.path.join(self._releases, release)

    def ensure_user(self) -> None:
        try:
            pwd.getpwnam(self.name)
        except KeyError:
            nobody = ("--home-dir", "/nonexistent", "--no-create-home", "--shell", "/usr/sbin/nologin")
            self._run(
                ["useradd", "--system", "--user-group", *nobody, self.name], f"The user {self.name} cannot be created"
            )

    def ensure_room(self, packed: Packed) -> None:
        """Refuse before anything is unpacked: a full disk would hurt what runs."""
        os.makedirs(self._releases, mode=0o755, exist_ok=True)
        disk = os.statvfs(self._releases)
        needed = packed.unpacked_bytes + packed.unpacked_files * _BLOCK + _RESERVE
        free = disk.f_bavail * disk.f_frsize
        if free < needed:
            raise ReleaseError(
                f"There is no room for the release on this host: {_megabytes(free)} are free in {self._releases}, and "
                f"{_megabytes(needed)} are needed, of which {_megabytes(_RESERVE)} stay free. Nothing was unpacked. "
                "What to do: make room, or keep fewer releases (web_app_keep)"
            )

    def unpack(self, release: Release, packed: Packed, build: c.Sequence[str]) -> None:
        """Put the release in its place; it is one when its record is written, which comes last.

        It is unpacked where it will run, because what is built has its own path in it.
        """
        directory = self.directory(release.id)
        if os.path.lexists(directory):
            shutil.rmtree(directory)
        shared = os.path.join(self.path, "shared")
        if not os.path.isdir(shared):
            os.makedirs(shared, mode=0o750)
            shutil.chown(shared, self.name, self.name)
        try:
            with packed.open() as archive:
                os.mkdir(directory, mode=0o755)
                _extract(archive, directory, packed.packed_at)
        except (OSError, tarfile.TarError) as exc:
            shutil.rmtree(directory, ignore_errors=True)
            raise ReleaseError(f"The release cannot be unpacked: {exc}. What was unpacked is removed again") from exc
        self._build(directory, release, build)
        self._write(directory, ENVIRONMENT, release.environment)
        finished = dataclasses.replace(release, at=now())
        self._write(directory, RECORD, finished.to_text())

    def _build(self, directory: str, release: Release, commands: c.Sequence[str]) -> None:
        """Run the commands as the application's user, who owns the release meanwhile and not afterwards."""
        if not commands:
            return
        _own(directory, self.name)
        for command in commands:
            environment = {"APP_RELEASE": release.id, "HOME": directory}
            code, out, err = self._as_user(command, directory, environment)
            if code != 0:
                shutil.rmtree(directory, ignore_errors=True)
                raise ReleaseError(
                    f'"{command}" failed, so there is no release {release.id} on this host. Its last words:\n'
                    f"{last_lines(out + err)}"
                )
        _own(directory, "root")

    def migrated(self, release: str) -> bool:
        return os.path.exists(os.path.join(self.directory(release), MIGRATED))

    def migrate(self, release: str, command: str, environment: c.Mapping[str, str]) -> None:
        told = {**environment, "APP_RELEASE": release}
        code, out, err = self._as_user(command, self.directory(release), told)
        if code != 0:
            raise ReleaseError(
                f'"{command}" failed, so no server gets the release {release}. Its last words:\n{last_lines(out + err)}'
            )
        self._write(self.directory(release), MIGRATED, now() + "\n")

    def _as_user(self, command: str, directory: str, environment: c.Mapping[str, str]) -> tuple[int, str, str]:
        """Run a line of shell. What it is told goes by its environment, which only it and root can read."""
        code, out, err = self._module.run_command(
            ["runuser", "--user", self.name, "--", "/bin/sh", "-c", f"exec {command}" if _simple(command) else command],
            cwd=directory,
            environ_update=dict(environment),
        )
        return code, out, err

    def point_to(self, release: str) -> None:
        """Switch in one step, and remember from where."""
        before = _target(self._current)
        if before and before != release:
            link_at_once(self._previous, self.directory(before))
        link_at_once(self._current, self.directory(release))

    def point_back(self, shelf: Shelf) -> None:
        """Be as it was."""
        if shelf.previous:
            link_at_once(self._previous, self.directory(shelf.previous))
        elif os.path.islink(self._previous):
            os.unlink(self._previous)
        link_at_once(self._current, self.directory(shelf.current))

    def remove(self, releases: c.Iterable[str]) -> None:
        for name in releases:
            # Without its record it is no release any more, however this ends.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.directory(name), RECORD))
            shutil.rmtree(self.directory(name))

    def _write(self, directory: str, name: str, text: str) -> None:
        write_at_once(os.path.join(directory, name), text.encode(), mode=0o644, owner=0, group=0)

    def _run(self, command: list[str], complaint: str) -> None:
        code, _out, err = self._module.run_command(command)
        if code != 0:
            raise ReleaseError(f"{complaint}: {err.strip()}")


def read_lock(name: str) -> DeployLock | None:
    content = read(_lock_path(name))
    return None if content is None else DeployLock.from_text(content.decode())


def take_lock(name: str, lock: DeployLock) -> DeployLock | None:
    """Take the lock, or return who has it. Nobody sees it half written."""
    path = _lock_path(name)
    temporary = f"{path}.{os.getpid()}"
    write_at_once(temporary, lock.to_text().encode(), mode=0o644, owner=0, group=0)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return read_lock(name)
    finally:
        os.unlink(temporary)
    return None


def drop_lock(name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_lock_path(name))


def now() -> str:
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds")


def last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LAST_LINES:])


def _lock_path(name: str) -> str:
    return os.path.join(LOCKS, f"{name}.json")


def _target(link: str) -> str:
    """Return the name of the release to which a link points, empty for none."""
    return os.path.basename(os.readlink(link)) if os.path.islink(link) else ""


def _simple(command: str) -> bool:
    """Tell whether the shell can give its place to a command, as it cannot to several."""
    return not any(sign in command for sign in ";&|\n()`<>")


def _extract(archive: tarfile.TarFile, directory: str, at: int) -> None:
    """Unpack as root's, readable by all: names and modes were settled when it was packed."""
    for member in archive.getmembers():
        member.mtime = at
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
    # Python 3.12 asks for a filter, and 3.14 has one that refuses links out of the release, which a release may have.
    if hasattr(tarfile, "fully_trusted_filter"):
        archive.extraction_filter = staticmethod(tarfile.fully_trusted_filter)
    archive.extractall(directory)  # noqa: S202 - packed by us


def _own(directory: str, user: str) -> None:
    account = pwd.getpwnam(user)
    for parent, directories, files in os.walk(directory):
        for name in (*directories, *files):
            path = os.path.join(parent, name)
            os.lchown(path, account.pw_uid, account.pw_gid)
            if user == "root" and not os.path.islink(path):
                _let_all_read(path)
    os.chown(directory, account.pw_uid, account.pw_gid)


def _let_all_read(path: str) -> None:
    """What was built is nobody's to change, and a program of everybody who may read it."""
    mode = stat.S_IMODE(os.stat(path).st_mode)
    program = os.path.isdir(path) or mode & stat.S_IXUSR
    os.chmod(path, 0o755 if program else 0o644)


def _megabytes(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MiB"


__all__ = (
    "Home",
    "Packed",
    "ReleaseError",
    "drop_lock",
    "last_lines",
    "now",
    "read_lock",
    "take_lock",
)
