# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Files and systemd units of this host."""

from __future__ import annotations

import glob
import grp
import os
import pwd
import stat
import tempfile
import typing as t

from .._service.service import FileSight, Sight, digest
from .._service.unit import Stamp, UnitState, fingerprint, parse_show

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible.module_utils.basic import AnsibleModule

    from .._service.service import Service

STAMPS = "/var/lib/webinfra/units"


class SystemdError(Exception):
    """There is no systemd to talk to."""


class Host:
    """Looks at files and units, and writes files."""

    def __init__(self, module: AnsibleModule, *, key: bytes = b"") -> None:
        self._module = module
        self._key = key

    def survey(self) -> dict[str, Sight]:
        """Look at every unit that was configured here before, by what its stamp says."""
        stamps = {}
        for path in sorted(glob.glob(os.path.join(STAMPS, "*.json"))):
            stamp = Stamp.from_text((read(path) or b"").decode())
            if stamp is not None:
                stamps[os.path.basename(path).removesuffix(".json")] = stamp
        states = self.states(dict.fromkeys(name for unit, stamp in stamps.items() for name in (unit, *stamp.rivals)))
        return {
            unit: Sight(
                files=self.files(stamp.paths),
                states={name: states[name] for name in (unit, *stamp.rivals)},
                loaded=stamp,
                watched=self.fingerprints(stamp.watched),
                links=self.links(stamp.links),
            )
            for unit, stamp in stamps.items()
        }

    def look(self, service: Service) -> Sight:
        """Look at one unit, and at what it should be about."""
        return Sight(
            files=self.files(service.stamp.paths),
            states=self.states((service.unit, *service.rivals)),
            loaded=self._stamp(service.unit),
            watched=self.fingerprints(service.watched),
            links=self.links(link.path for link in service.links),
        )

    def files(self, paths: c.Iterable[str]) -> dict[str, FileSight | None]:
        return {path: self._file(path) for path in paths}

    def fingerprints(self, paths: c.Iterable[str]) -> dict[str, str | None]:
        contents = {path: read(path) if os.path.isfile(path) else None for path in paths}
        return {path: None if content is None else fingerprint(content) for path, content in contents.items()}

    def links(self, paths: c.Iterable[str]) -> dict[str, str | None]:
        return {path: os.readlink(path) if os.path.islink(path) else None for path in paths}

    def states(self, units: c.Iterable[str]) -> dict[str, UnitState]:
        names = list(units)
        if not names:
            return {}
        _code, out, err = self._module.run_command(
            ["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload", *names]
        )
        blocks = parse_show(out)
        if len(blocks) != len(names):
            raise SystemdError(f"systemctl does not answer on this host; is systemd its PID 1? {err.strip()}")
        return {unit: UnitState.from_properties(block) for unit, block in zip(names, blocks, strict=True)}

    def remember(self, unit: str, stamp: Stamp) -> None:
        """Note what the running unit has loaded."""
        text = stamp.to_text().encode()
        if read(_stamp_path(unit)) != text:
            write_at_once(_stamp_path(unit), text, mode=0o644, owner=0, group=0)

    def remember_reloaded(self, unit: str, path: str, content: bytes) -> None:
        """Note that the running unit has loaded another content of one file."""
        stamp = self._stamp(unit)
        if stamp is not None:
            self.remember(unit, stamp.with_reloaded(path, content))

    def has_loaded(self, unit: str, path: str, content: bytes) -> bool:
        """Tell whether a unit runs with this content, as far as is known."""
        stamp = self._stamp(unit)
        return stamp is None or stamp == stamp.with_reloaded(path, content)

    def _stamp(self, unit: str) -> Stamp | None:
        return Stamp.from_text((read(_stamp_path(unit)) or b"").decode())

    def _file(self, path: str) -> FileSight | None:
        content = read(path)
        if content is None:
            return None
        status = os.stat(path)
        return FileSight(
            digest=digest(content, self._key),
            owner=_name(pwd.getpwuid, status.st_uid),
            group=_name(grp.getgrgid, status.st_gid),
            mode=stat.S_IMODE(status.st_mode),
        )


def read(path: str) -> bytes | None:
    """Return what a file holds, or None where there is none."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def write_at_once(path: str, content: bytes, *, mode: int, owner: int, group: int) -> None:
    """Replace the file in one step, with its owner and permissions from its first moment.

    ``AnsibleModule.atomic_move`` sets them after the move: a secret would be readable in between.
    """
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".webinfra-")
    with os.fdopen(handle, "wb") as stream:
        os.fchown(handle, owner, group)
        os.fchmod(handle, mode)
        stream.write(content)
        stream.flush()
        os.fsync(handle)
    os.replace(temporary, path)


def link_at_once(path: str, target: str) -> None:
    """Let the path point there, in one step."""
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".webinfra-") as room:
        temporary = os.path.join(room, "link")
        os.symlink(target, temporary)
        os.replace(temporary, path)


def _stamp_path(unit: str) -> str:
    return os.path.join(STAMPS, f"{unit}.json")


def _name(lookup: t.Callable[[int], t.Any], number: int) -> str:
    """Return the name behind a number, or the number where it has none."""
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


__all__ = ("Host", "SystemdError", "link_at_once", "read", "write_at_once")
