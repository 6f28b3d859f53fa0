# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The position of a client's last write, which the client keeps in a cookie.

The cookie is a hint of the client about itself and needs no signature: whoever forges one waits longer, or reads from
the primary, and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAXIMUM_LENGTH = 1024
COOKIE_COMMA = "."
"""Stands for the comma, which cookies may not carry unquoted."""
UNKNOWN = "primary"
"""The cookie of a bookmark without a position."""

_NUMBER = r"[1-9][0-9]{0,18}"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MYSQL = rf"{_UUID}(?::(?:[a-z_][a-z0-9_]{{0,31}}|{_NUMBER}(?:-{_NUMBER})?))+"
_MARIADB = r"[0-9]{1,9}-[0-9]{1,9}-[0-9]{1,18}"
_POSITION = re.compile(rf"(?:{_MARIADB}(?:,{_MARIADB})*|{_MYSQL}(?:,{_MYSQL})*)", re.ASCII)


@dataclass(frozen=True)
class Bookmark:
    position: str | None
    """A GTID position of MariaDB or a GTID set of MySQL; None says only that there was a write."""

    @classmethod
    def at(cls, position: str | None) -> Bookmark:
        """Return the bookmark of a write, without a position where no cookie could hold it."""
        text = "".join((position or "").split()).lower()
        return cls(position=text if _is_position(text) else None)

    @classmethod
    def from_cookie(cls, cookie: str | None) -> Bookmark | None:
        """Return the bookmark of a cookie, or None for anything that we did not write."""
        if cookie is None:
            return None
        if cookie == UNKNOWN:
            return cls(position=None)
        text = cookie.replace(COOKIE_COMMA, ",")
        return cls(position=text) if "," not in cookie and _is_position(text) else None

    def to_cookie(self) -> str:
        return UNKNOWN if self.position is None else self.position.replace(",", COOKIE_COMMA)


def _is_position(text: str) -> bool:
    return len(text) <= MAXIMUM_LENGTH and _POSITION.fullmatch(text) is not None


__all__ = ("Bookmark",)
