# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import typing as t
from dataclasses import dataclass, field


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
class Link:
    """A symbolic link that a unit reads through."""

    path: str
    target: str
    initial: bool = False
    """Whether it is somebody else's as soon as it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Fingerprints of the files that the running unit has loaded, kept on the host between runs."""

    reload: t.Mapping[str, str]
    """By path: those whose content a reload takes over."""
    restart: t.Mapping[str, str]
    """By path: those whose content needs a restart."""
    watched: t.Mapping[str, str | None] = field(default_factory=dict)
    """By path: those that somebody else writes. None for one that is not there."""
    links: t.Mapping[str, str] = field(default_factory=dict)
    """By path: where it points."""
    paths: tuple[str, ...] = ()
    """Files that must be as they are declared, or absent: where a survey has to look."""
    rivals: tuple[str, ...] = ()
    """Units that must not run beside it."""

    @classmethod
    def of_files(
        cls,
        files: t.Sequence[ManagedFile],
        *,
        links: t.Sequence[Link] = (),
        absent: t.Sequence[str] = (),
        rivals: t.Sequence[str] = (),
    ) -> Stamp:
        return cls(
            reload=_fingerprints(file for file in files if file.on_change is ChangeAction.RELOAD),
            restart=_fingerprints(file for file in files if file.on_change is ChangeAction.RESTART),
            links={link.path: link.target for link in links if not link.initial},
            paths=(*(file.path for file in files), *absent),
            rivals=tuple(rivals),
        )

    @classmethod
    def from_text(cls, text: str) -> Stamp | None:
        """Return the stamp, or None where the text is not one: then nothing is known of what runs."""
        try:
            fields = json.loads(text)
            return cls(
                reload=dict(fields["reload"]),
                restart=dict(fields["restart"]),
                watched=dict(fields.get("watched", {})),
                links=dict(fields.get("links", {})),
                paths=tuple(fields.get("paths", ())),
                rivals=tuple(fields.get("rivals", ())),
            )
        except (ValueError, TypeError, KeyError):
            return None

    def to_text(self) -> str:
        return json.dumps(dataclasses.asdict(self)) + "\n"

    def with_reloaded(self, path: str, content: bytes) -> Stamp:
        """Return the stamp after the unit has taken over a new content of one of its files by a reload."""
        return dataclasses.replace(self, reload={**self.reload, path: fingerprint(content)})

    def with_watched(self, watched: t.Mapping[str, str | None]) -> Stamp:
        """Return the stamp with the fingerprints of files that somebody else writes."""
        return dataclasses.replace(self, watched=watched)

    def reloads_to(self, other: Stamp) -> bool:
        """Tell whether a reload makes a difference."""
        return (self.reload, self.watched, self.links) != (other.reload, other.watched, other.links)


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
    elif loaded.reloads_to(wanted):
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


def fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fingerprints(files: t.Iterable[ManagedFile]) -> dict[str, str]:
    return {file.path: fingerprint(file.content) for file in sorted(files, key=lambda file: file.path)}


__all__ = (
    "ChangeAction",
    "Link",
    "ManagedFile",
    "Stamp",
    "UnitPlan",
    "UnitState",
    "fingerprint",
    "parse_show",
    "plan_unit",
)
