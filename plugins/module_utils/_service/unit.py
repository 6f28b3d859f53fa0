# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
from __future__ import annotations

import enum
import hashlib
import json
import typing as t
from dataclasses import dataclass


class ChangeAction(enum.Enum):
    """What a unit needs before it runs with the content of a changed file."""

    RELOAD = "reload"
    RESTART = "restart"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedFile:
    path: str
    content: bytes
    owner: str
    group: str
    mode: int
    secret: bool
    validate: str | None
    """A command with ``%s`` for the candidate's path; the file is refused when it fails."""
    on_change: ChangeAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Fingerprints of the files that the running unit has loaded, kept on the host between runs."""

    reload: str
    restart: str

    @classmethod
    def of_files(cls, files: t.Sequence[ManagedFile]) -> Stamp:
        return cls(
            reload=_fingerprint(file for file in files if file.on_change is ChangeAction.RELOAD),
            restart=_fingerprint(file for file in files if file.on_change is ChangeAction.RESTART),
        )

    @classmethod
    def from_text(cls, text: str) -> Stamp | None:
        """Return the stamp, or None where the text is not one: then nothing is known of what runs."""
        try:
            fields = json.loads(text)
            return cls(reload=fields["reload"], restart=fields["restart"])
        except (ValueError, TypeError, KeyError):
            return None

    def to_text(self) -> str:
        return json.dumps({"reload": self.reload, "restart": self.restart}) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    known: bool
    """Whether systemd finds a unit of this name."""
    active: bool
    enabled: bool
    stale_unit_file: bool
    """Whether a unit file changed on disk since systemd read it (``NeedDaemonReload``)."""

    @classmethod
    def from_properties(cls, properties: t.Mapping[str, str]) -> UnitState:
        """Read what ``systemctl show`` prints; rule: systemctl(1), org.freedesktop.systemd1(5)."""
        return cls(
            known=properties.get("LoadState") == "loaded",
            active=properties.get("ActiveState") in {"active", "reloading", "activating"},
            enabled=properties.get("UnitFileState") in {"enabled", "enabled-runtime", "static", "indirect", "alias"},
            stale_unit_file=properties.get("NeedDaemonReload") == "yes",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """The systemctl verbs that bring the unit to where it should be, in the order of these fields."""

    daemon_reload: bool
    enable: bool
    activate: str | None
    """``start``, ``reload``, ``restart`` or None."""
    outdated: bool
    """Whether the unit goes on running with older files, because none of its files may restart it."""

    @property
    def empty(self) -> bool:
        return not (self.daemon_reload or self.enable or self.activate)


def plan_unit(
    state: UnitState, *, loaded: Stamp | None, wanted: Stamp, enabled: bool, unit_file_changed: bool, hands_off: bool
) -> UnitPlan:
    """Decide what a unit needs so that it runs with the wanted files.

    The stamp makes this independent of who wrote the files: a run that died between writing and reloading
    is completed by the next one.
    """
    activate = None
    stale = False
    if not state.active:
        activate = "start"
    elif loaded is None or loaded.restart != wanted.restart:
        activate, stale = "restart", True
    elif loaded.reload != wanted.reload:
        activate, stale = "reload", True
    outdated = stale and hands_off
    return UnitPlan(
        daemon_reload=unit_file_changed or state.stale_unit_file,
        enable=enabled and not state.enabled,
        activate=None if outdated else activate,
        outdated=outdated,
    )


def parse_show(text: str) -> list[dict[str, str]]:
    """Split the output of ``systemctl show`` for several units into one mapping a unit."""
    return [
        dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        for block in text.strip().split("\n\n")
    ]


def _fingerprint(files: t.Iterable[ManagedFile]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        digest.update(f"{file.path}\0{len(file.content)}\0".encode())
        digest.update(file.content)
    return digest.hexdigest()


__all__ = ("ChangeAction", "ManagedFile", "Stamp", "UnitPlan", "UnitState", "parse_show", "plan_unit")
