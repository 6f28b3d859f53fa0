# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries: what a reader may write, and what the book shows."""

from __future__ import annotations

import re
import typing as t
import unicodedata
import uuid
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import datetime as dt

NAME_LENGTH = 40
MESSAGE_LENGTH = 500

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of all text after them, beyond the entry that they stand in."""


class DraftError(Exception):
    """A draft cannot become an entry; ``problems`` says for each field why, in words for the reader."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True)
class Draft:
    name: str
    message: str
    client_id: str
    """Chosen by the client, so that sending a draft twice makes one entry."""


@dataclass(frozen=True)
class Entry:
    number: int
    client_id: str
    name: str
    message: str
    web_server: str
    database_server: str
    written_at: dt.datetime
    """In UTC."""

    def as_result(self) -> dict[str, t.Any]:
        return {
            "id": self.number,
            "client_id": self.client_id,
            "name": self.name,
            "message": self.message,
            "web_server": self.web_server,
            "database_server": self.database_server,
            "written_at": self.written_at.isoformat(timespec="milliseconds") + "Z",
        }

    def age(self, now: dt.datetime) -> str:
        """Say in words how long ago the entry was written."""
        seconds = int((now - self.written_at).total_seconds())
        for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
            count = seconds // length
            if count > 0:
                return f"{count} {unit}{'s' if count > 1 else ''} ago"
        return "just now"


def new_client_id() -> str:
    return uuid.uuid4().hex


def draft_from(fields: t.Mapping[str, t.Any]) -> Draft:
    """Return what a reader sent, tidied, or raise with all problems at once."""
    name = " ".join(_text(fields, "name").split())
    message = _text(fields, "message").replace("\r\n", "\n").strip()
    client_id = _text(fields, "client_id") or new_client_id()
    problems = {
        "name": _length_problem("your name", name, NAME_LENGTH),
        "message": _length_problem("a message", message, MESSAGE_LENGTH),
        "client_id": None if _CLIENT_ID.fullmatch(client_id) else "The client_id must be 8 to 64 of A-Z a-z 0-9 _ -.",
    }
    found = {field: problem for field, problem in problems.items() if problem}
    if found:
        raise DraftError(found)
    return Draft(name=name, message=message, client_id=client_id)


def _text(fields: t.Mapping[str, t.Any], field: str) -> str:
    value = fields.get(field, "")
    if not isinstance(value, str):
        return ""
    return "".join(character for character in value if _is_writing(character))


def _is_writing(character: str) -> bool:
    if character in "\r\n\t":
        return True
    return character not in _TURNING and unicodedata.category(character) not in {"Cc", "Cs"}


def _length_problem(what: str, text: str, limit: int) -> str | None:
    if not text:
        return f"Please write {what}."
    if len(text) > limit:
        return f"That is {len(text)} characters; there is room for {limit}."
    return None


__all__ = ("MESSAGE_LENGTH", "NAME_LENGTH", "Draft", "DraftError", "Entry", "draft_from", "new_client_id")
