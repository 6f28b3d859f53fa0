# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What is known of a release, and which releases may go."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

RECORD = ".release.json"
ENVIRONMENT = ".release.env"
MIGRATED = ".release.migrated"
OWN_FILES = frozenset({RECORD, ENVIRONMENT, MIGRATED})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ReleaseNameError(ValueError):
    """A release cannot be called like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release that is complete on a host."""

    id: str
    source: str = ""
    revision: str = ""
    by: str = ""
    at: str = ""
    """The moment in UTC at which it was complete, as ISO 8601 has it."""

    @classmethod
    def from_text(cls, text: str) -> Release | None:
        """Return the release, or None where the text is no record of one: then it is not complete."""
        try:
            fields = json.loads(text)
            return cls(**{field.name: str(fields.get(field.name, "")) for field in dataclasses.fields(cls)})
        except (ValueError, TypeError, AttributeError):
            return None

    def to_text(self) -> str:
        return json.dumps(self.as_result(), ensure_ascii=False) + "\n"

    def as_result(self) -> dict[str, str]:
        return dataclasses.asdict(self)

    @property
    def environment(self) -> str:
        """What its process is told about itself; a unit reads it through the link, so it always fits what runs."""
        return f'APP_RELEASE="{self.id}"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The releases of one host."""

    releases: tuple[Release, ...] = ()
    current: str = ""
    previous: str = ""
    incomplete: tuple[str, ...] = ()
    """Names of directories that a killed run has left."""

    def has(self, name: str) -> bool:
        return any(release.id == name for release in self.releases)

    def surplus(self, keep: int) -> tuple[str, ...]:
        """Return what may go: the oldest ones beyond so many, never the current one nor the one before it."""
        newest_first = sorted(self.releases, key=lambda release: release.at, reverse=True)
        held = {self.current, self.previous}
        kept = [release.id for release in newest_first if release.id in held]
        others = [release.id for release in newest_first if release.id not in held]
        return (*others[max(keep - len(kept), 0) :], *self.incomplete)

    def as_result(self) -> dict[str, t.Any]:
        newest_first = sorted(self.releases, key=lambda release: release.at, reverse=True)
        return {
            "current": self.current,
            "previous": self.previous,
            "releases": [release.as_result() for release in newest_first],
            "incomplete": list(self.incomplete),
        }


class RollbackError(ValueError):
    """It is not clear where to go back to; the text says why and what to do."""


def rollback_target(shelves: c.Mapping[str, c.Mapping[str, t.Any]], wanted: str = "") -> str:
    """Return the release to which all servers go back, by what each of them has."""
    if not shelves:
        raise RollbackError("No web server has said which releases it has")
    target = wanted or _previous_of(shelves)
    lacking = [name for name, shelf in shelves.items() if target not in _ids(shelf)]
    if lacking:
        everywhere = set.intersection(*({*_ids(shelf)} for shelf in shelves.values()))
        raise RollbackError(
            f"{', '.join(lacking)}: no release {target}. A rollback builds nothing; all web servers have "
            f"{', '.join(sorted(everywhere)) or 'none in common'}. What to do: name one of "
            "these with -e release=, or deploy"
        )
    return target


def _previous_of(shelves: c.Mapping[str, c.Mapping[str, t.Any]]) -> str:
    current = {name: str(shelf["current"]) for name, shelf in shelves.items()}
    previous = {name: str(shelf["previous"]) for name, shelf in shelves.items()}
    if len(set(current.values())) == 1:
        candidates = set(previous.values())
    else:
        # A roll that stopped half way: some are back already, the others go where these are.
        candidates = {
            release
            for release in current.values()
            if all(release in {current[name], previous[name]} for name in shelves)
        }
    if len(candidates) == 1 and (target := candidates.pop()):
        return target
    told = "; ".join(f"{name} runs {current[name] or 'none'}, before it {previous[name] or 'none'}" for name in shelves)
    raise RollbackError(f"There is not one release before this one: {told}. What to do: name one with -e release=")


def _ids(shelf: c.Mapping[str, t.Any]) -> list[str]:
    return [release["id"] for release in shelf["releases"]]


def checked_name(name: str) -> str:
    """Return the name of a release, refusing what is no name of a directory or harms the file that names it."""
    if not _NAME.fullmatch(name):
        raise ReleaseNameError(
            f"{name!r} is no name for a release; write letters, digits, dots, dashes and underscores, at most 64"
        )
    return name


__all__ = (
    "ENVIRONMENT",
    "MIGRATED",
    "OWN_FILES",
    "RECORD",
    "Release",
    "ReleaseNameError",
    "RollbackError",
    "Shelf",
    "checked_name",
    "rollback_target",
)
