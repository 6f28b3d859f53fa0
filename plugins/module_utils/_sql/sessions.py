# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The open sessions to the servers of a topology, one each, opened when it is first needed."""

from __future__ import annotations

import contextlib
import typing as t

from .connection import connect

if t.TYPE_CHECKING:
    import collections.abc as c

    from .connection import Login, SqlSession


class Sessions:
    """Each is used by one thread at a time."""

    def __init__(self, logins: c.Mapping[str, Login]) -> None:
        self._logins = logins
        self._open: dict[str, SqlSession] = {}

    def to(self, name: str) -> SqlSession:
        if name not in self._open:
            self._open[name] = connect(self._logins[name])
        return self._open[name]

    def take(self, name: str) -> SqlSession | None:
        """Give the session away; who takes it closes it, or keeps it here again."""
        return self._open.pop(name, None)

    def keep(self, name: str, session: SqlSession) -> None:
        self._open[name] = session

    def forget(self, name: str) -> None:
        with contextlib.suppress(KeyError):
            self._open.pop(name).close()

    def close(self) -> None:
        for name in list(self._open):
            self.forget(name)


__all__ = ("Sessions",)
