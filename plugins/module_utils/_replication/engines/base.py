# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What an engine has to be able to say; everything above speaks only these words."""

from __future__ import annotations

import abc
import typing as t

from ..status import Engine, EngineError, ServerStatus, ThreadState

if t.TYPE_CHECKING:
    from ..moves.words import MoveWords
    from ..rejoining.words import LogWords
    from ..session import Row, Session, Statement
    from ..steps import Action, SourceIdentity, SourceSettings

SYSTEM_SCHEMAS = "'mysql', 'information_schema', 'performance_schema', 'sys'"

HEARTBEAT_SCHEMA = "webinfra"
"""Where the heartbeat is unless an option says otherwise."""

_THREAD_STATES = {"yes": ThreadState.RUNNING, "no": ThreadState.STOPPED}


class Dialect(abc.ABC):
    """The words of one engine; chosen once, when the connection is opened."""

    engine: t.ClassVar[Engine]
    longest_source_password: t.ClassVar[int]
    """What the engine takes for the link to a source, in characters."""
    login_plugin: t.ClassVar[str]
    """By which accounts with a password log in."""
    read_accounts: t.ClassVar[str]
    """Asks for accounts by their names, C({marks})."""
    read_settings: t.ClassVar[str]
    """Asks for variables, and for two of the status, by their names, C({marks}) each."""
    static_settings: t.ClassVar[frozenset[str]]
    """Variables that only a start sets, where the engine does not say so itself."""
    settings_at_rest: t.ClassVar[frozenset[str]]
    """Variables that are only taken, or only take effect, while nothing replicates."""
    sessions_of: t.ClassVar[str]
    """Asks for the connections of a user from hosts like a pattern: C(id)."""
    load_certificate: t.ClassVar[str]
    semi_sync_words: t.ClassVar[tuple[str, str]]
    """What the engine calls the two sides in the names of its variables."""
    figures_of_server: t.ClassVar[tuple[str, str]]
    """The tables of its status and of its global variables, which everybody may read."""
    read_position: t.ClassVar[str]
    """Asks what a replica has to reach to have all that is here: C(position)."""
    wait_for_position: t.ClassVar[str]
    """Waits on a replica for a position, for some seconds: C(late) is 0 when it was reached."""
    moves: t.ClassVar[MoveWords]
    """What moving the primary needs beyond what makes a replica."""
    logs: t.ClassVar[LogWords]
    """What reading binary logs needs."""
    hold_rows: t.ClassVar[str]
    """Ends a SELECT whose rows nobody may change until the transaction ends."""

    @abc.abstractmethod
    def read_status(self, session: Session, heartbeat_schema: str = HEARTBEAT_SCHEMA) -> ServerStatus:
        """Ask a server everything that decisions are made from."""

    @abc.abstractmethod
    def read_what_answers(self, session: Session, unread: str) -> ServerStatus:
        """Ask a server whose full answer hangs only for what does not; nothing may be decided from that."""

    @abc.abstractmethod
    def read_identity(self, session: Session) -> SourceIdentity:
        """Ask a server who it is and what it has executed: no privilege is needed for that."""

    @abc.abstractmethod
    def stored_password_differs(self, session: Session, password: str) -> bool | None:
        """Tell whether the link's stored password is another one; nothing where the engine does not show it."""

    @abc.abstractmethod
    def statements(self, action: Action, source: SourceSettings | None) -> tuple[Statement, ...]:
        """Return what brings an action about."""

    @abc.abstractmethod
    def authentication(self, password: str) -> tuple[str, tuple[str, ...]]:
        """Return the clause that gives an account this password (none when empty), and its parameters."""

    @abc.abstractmethod
    def rotation(self, password: str, stored: bytes) -> tuple[str, tuple[str, ...]]:
        """Return the clause that gives an account this password and lets it in with the one before as well."""

    @abc.abstractmethod
    def discarding(self, password: str) -> tuple[str, tuple[str, ...]]:
        """Return the clause that lets an account in with this password, its current one, only."""

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
