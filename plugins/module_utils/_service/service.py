# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A unit with its files as it is declared, against what was seen of it on a host."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import typing as t
from dataclasses import dataclass, field

from .unit import ChangeAction, Link, ManagedFile, Stamp, UnitPlan, UnitState, plan_unit

UNIT_DIRECTORIES = ("/etc/systemd/", "/usr/local/lib/systemd/")

CONTENTS = ("content", "secret_content", "encoded_content")
FILE_OPTIONS: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str"},
    "secret_content": {"type": "str", "no_log": True},
    "encoded_content": {"type": "str"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "default": "0644"},
    "validate": {"type": "str"},
    "on_change": {"type": "str", "choices": ["reload", "restart", "none"], "default": "reload"},
}
ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "enabled": {"type": "bool", "default": True},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": FILE_OPTIONS,
        "required_one_of": [CONTENTS],
        "mutually_exclusive": [CONTENTS],
    },
    "links": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "target": {"type": "path", "required": True},
            "initial": {"type": "bool", "default": False},
        },
    },
    "watched_files": {"type": "list", "elements": "path", "default": []},
    "restart_allowed": {"type": "bool", "default": True},
    "absent_files": {"type": "list", "elements": "path", "default": []},
    "stopped_units": {"type": "list", "elements": "str", "default": []},
}


class OptionError(ValueError):
    """An option whose value cannot be what was meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A unit as it is declared."""

    unit: str
    files: tuple[ManagedFile, ...]
    links: tuple[Link, ...]
    watched: tuple[str, ...]
    """Files that the unit reads and somebody else writes."""
    absent: tuple[str, ...]
    rivals: tuple[str, ...]
    enabled: bool
    restart_allowed: bool

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> Service:
        return cls(
            unit=options["name"],
            files=tuple(_managed_file(file) for file in options["files"]),
            links=tuple(Link(**link) for link in options["links"]),
            watched=tuple(dict.fromkeys(options["watched_files"])),
            absent=tuple(options["absent_files"]),
            rivals=tuple(options["stopped_units"]),
            enabled=options["enabled"],
            restart_allowed=options["restart_allowed"],
        )

    @property
    def stamp(self) -> Stamp:
        """What it runs with, but for the files that are watched: only the host knows their content."""
        return Stamp.of_files(self.files, links=self.links, absent=self.absent, rivals=self.rivals)

    def stamp_on(self, sight: Sight) -> Stamp:
        return self.stamp.with_watched({path: sight.watched[path] for path in self.watched})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSight:
    """A file as it was seen."""

    digest: str
    owner: str
    group: str
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of a unit, its files and its rivals."""

    files: t.Mapping[str, FileSight | None]
    """None where there is no such file."""
    states: t.Mapping[str, UnitState]
    loaded: Stamp | None
    watched: t.Mapping[str, str | None] = field(default_factory=dict)
    """Fingerprints of the files that somebody else writes; None where there is no such file."""
    links: t.Mapping[str, str | None] = field(default_factory=dict)
    """Where each points; None for what is no link."""

    @classmethod
    def from_result(cls, result: t.Mapping[str, t.Any]) -> Sight:
        return cls(
            files={path: FileSight(**seen) if seen else None for path, seen in result["files"].items()},
            states={unit: UnitState(**state) for unit, state in result["states"].items()},
            loaded=Stamp.from_text(result["loaded"]),
            watched=result["watched"],
            links=result["links"],
        )

    def as_result(self) -> dict[str, t.Any]:
        return {
            "files": {path: seen and dataclasses.asdict(seen) for path, seen in self.files.items()},
            "states": {unit: dataclasses.asdict(state) for unit, state in self.states.items()},
            "loaded": self.loaded.to_text() if self.loaded else "",
            "watched": dict(self.watched),
            "links": dict(self.links),
        }

    def covers(self, service: Service) -> bool:
        """Tell whether everything was looked at that this service is about."""
        return (
            self.files.keys() >= set(service.stamp.paths)
            and self.states.keys() >= {service.unit, *service.rivals}
            and self.watched.keys() >= set(service.watched)
            and self.links.keys() >= {link.path for link in service.links}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """What has to be done, and nothing where the service is as declared."""

    files: tuple[ManagedFile, ...]
    links: tuple[Link, ...]
    missing: tuple[str, ...]
    """Files that somebody else should have written. Nothing can be done before they are there."""
    surplus: tuple[str, ...]
    rivals: tuple[str, ...]
    unit: UnitPlan

    @property
    def touched(self) -> list[str]:
        return [*(file.path for file in self.files), *(link.path for link in self.links), *self.surplus]

    @property
    def empty(self) -> bool:
        return not self.touched and not self.missing and not self.rivals and self.unit.empty


def plan_service(service: Service, sight: Sight, *, key: bytes) -> ServicePlan:
    """Decide what has to be written, removed, stopped and done to the unit."""
    files = tuple(file for file in service.files if sight.files[file.path] != _wanted_sight(file, key))
    surplus = tuple(path for path in service.absent if sight.files[path] is not None)
    touched = [*(file.path for file in files), *surplus]
    return ServicePlan(
        files=files,
        links=tuple(
            link
            for link in service.links
            if sight.links[link.path] is None or (not link.initial and sight.links[link.path] != link.target)
        ),
        missing=tuple(path for path in service.watched if sight.watched[path] is None),
        surplus=surplus,
        rivals=tuple(name for name in service.rivals if sight.states[name].active or sight.states[name].enabled),
        unit=plan_unit(
            sight.states[service.unit],
            loaded=sight.loaded,
            wanted=service.stamp_on(sight),
            enabled=service.enabled,
            unit_file_changed=any(path.startswith(UNIT_DIRECTORIES) for path in touched),
            hands_off=not service.restart_allowed,
        ),
    )


def digest(content: bytes, key: bytes) -> str:
    """Return what tells two contents apart; with a secret key it tells nobody else anything about them."""
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def _wanted_sight(file: ManagedFile, key: bytes) -> FileSight:
    return FileSight(digest=digest(file.content, key), owner=file.owner, group=file.group, mode=file.mode)


def _managed_file(options: t.Mapping[str, t.Any]) -> ManagedFile:
    try:
        mode = int(options["mode"], 8)
    except ValueError:
        message = f'files: mode {options["mode"]!r} of {options["path"]} is not octal; write for example "0640"'
        raise OptionError(message) from None
    if options["validate"] is not None and "%s" not in options["validate"]:
        message = f"files: validate of {options['path']} must contain %s, the path of the new content"
        raise OptionError(message)
    return ManagedFile(
        path=options["path"],
        content=_content(options),
        owner=options["owner"],
        group=options["group"],
        mode=mode,
        secret=options["secret_content"] is not None,
        validate=options["validate"],
        on_change=ChangeAction(options["on_change"]),
    )


def _content(options: t.Mapping[str, t.Any]) -> bytes:
    if options["encoded_content"] is None:
        text: str = options["content"] if options["secret_content"] is None else options["secret_content"]
        return text.encode()
    try:
        return base64.b64decode(options["encoded_content"], validate=True)
    except ValueError:
        raise OptionError(f"files: encoded_content of {options['path']} is not base64") from None


__all__ = (
    "ARGUMENTS",
    "FileSight",
    "OptionError",
    "Service",
    "ServicePlan",
    "Sight",
    "digest",
    "plan_service",
)
