# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The port to a database server: what the pure layer asks of a connection."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from .engines.base import Dialect

Row = dict[str, t.Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement; values are parameters, never part of the text."""

    sql: str
    parameters: tuple[t.Any, ...] = ()
    secret: bool = False
    """The parameters carry a secret: neither they nor the engine's complaint about them may be shown."""
    may_hang: bool = False
    """It was seen to hang where other statements are answered, so some of the time has to be left for those."""

    @property
    def verb(self) -> str:
        """Return what may be shown of it."""
        return " ".join(self.sql.split()[:3])


class Session(t.Protocol):
    """A connection to one server, with the dialect that was chosen when it was opened."""

    @property
    def dialect(self) -> Dialect:
        """The words of this server's engine."""

    def query(self, statement: Statement) -> list[Row]:
        """Run a statement and return its rows."""


def quote_identifier(name: str) -> str:
    """Quote the name of a schema, table or column; a statement's text goes through parameter formatting."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


__all__ = ("Row", "Session", "Statement", "quote_identifier")
