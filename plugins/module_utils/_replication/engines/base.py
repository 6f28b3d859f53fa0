# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What an engine has to be able to say; everything above speaks only these words."""

from __future__ import annotations

import abc
import typing as t

from ..status import Engine, EngineError, ServerStatus, ThreadState

if t.TYPE_CHECKING:
    from ..plan import Action, SourceIdentity, SourceSettings
    from ..session import Row, Session, Statement

SYSTEM_SCHEMAS = "'mysql', 'information_schema', 'performance_schema', 'sys'"

_THREAD_STATES = {"yes": ThreadState.RUNNING, "no": ThreadState.STOPPED}


class Dialect(abc.ABC):
    """The words of one engine; chosen once, when the connection is opened."""

    engine: t.ClassVar[Engine]
    longest_source_password: t.ClassVar[int]
    """What the engine takes for the link to a source, in characters."""

    @abc.abstractmethod
    def read_status(self, session: Session) -> ServerStatus:
        """Ask a server everything that decisions are made from."""

    @abc.abstractmethod
    def read_identity(self, session: Session) -> SourceIdentity:
        """Ask a server who it is and what it has executed: no privilege is needed for that."""

    @abc.abstractmethod
    def stored_password_differs(self, session: Session, password: str) -> bool:
        """Tell whether the link's stored password is known to be another one."""

    @abc.abstractmethod
    def statements(self, action: Action, source: SourceSettings | None) -> tuple[Statement, ...]:
        """Return what brings an action about."""

    @abc.abstractmethod
    def authentication(self, password: str) -> tuple[str, tuple[str, ...]]:
        """Return the clause that gives an account this password (none when empty), and its parameters."""

    @abc.abstractmethod
    def password_matches(self, plugin: str, stored: bytes, password: str) -> bool:
        """Tell whether an account already logs in with this password, by this engine's own method."""

    @abc.abstractmethod
    def privileges(self, name: str) -> frozenset[str]:
        """Return the engine's own privileges behind a name of the common vocabulary."""


def is_on(value: object) -> bool:
    """Read a server variable that may come as a number or as a word."""
    return str(value).upper() not in ("0", "OFF", "NO", "NONE", "")


def thread_state(word: str) -> ThreadState:
    """Read C(Yes), C(No), C(Connecting) and MariaDB's C(Preparing)."""
    return _THREAD_STATES.get(word.lower(), ThreadState.CONNECTING)


def engine_error(row: Row, name: str) -> EngineError | None:
    """Read an error number and its text; no error has number 0."""
    code = int(row[f"{name}_Errno"])
    return EngineError(code=code, message=str(row[f"{name}_Error"])) if code else None


def hosts(listed: str | None) -> tuple[str, ...]:
    """Read the clients of a process list, C(host:port) each, into hosts."""
    return tuple(sorted({client.rpartition(":")[0] or client for client in (listed or "").split(",") if client}))


__all__ = ("SYSTEM_SCHEMAS", "Dialect", "engine_error", "hosts", "is_on", "thread_state")
