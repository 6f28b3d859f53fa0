# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Closing a server whose role changes, and its clients: their open transactions, and their connections."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..errors import StatementFailedError
from ..session import Statement
from ..steps import Action

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..session import Session

_NO_SUCH_CONNECTION = 1094
_NOT_OURS = 1095
"""MySQL's answer for connections of accounts with SYSTEM_USER: administrators', whom super_read_only stops as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction:
    """A client's transaction that has written and has not ended."""

    connection: int
    user: str
    seconds: int

    def __str__(self) -> str:
        return f"connection {self.connection} of {self.user}, open for {self.seconds} s"


def read_transactions(session: Session, older_than: float) -> tuple[OpenTransaction, ...]:
    """Ask for the transactions that have written and are older than so many seconds."""
    rows = session.query(Statement(session.dialect.moves.transactions))
    found = [
        OpenTransaction(connection=int(row["id"]), user=str(row["user"]), seconds=int(row["seconds"])) for row in rows
    ]
    return tuple(transaction for transaction in found if transaction.seconds >= older_than)


def close_writes(session: Session, seconds: int) -> None:
    """Close the server; fail when commits hold that up for longer."""
    session.query(Statement("SET SESSION lock_wait_timeout = %s", (seconds,)))
    for statement in session.dialect.statements(Action.CLOSE_WRITES, None):
        session.query(statement)


def cut(session: Session, connections: c.Iterable[int]) -> None:
    """End connections; those that have ended by themselves are none to complain about."""
    for connection in connections:
        _cut(session, connection)


def _cut(session: Session, connection: int) -> None:
    try:
        session.query(Statement("KILL %s", (connection,)))
    except StatementFailedError as exc:
        if exc.code not in (_NO_SUCH_CONNECTION, _NOT_OURS):
            raise


def cut_clients(session: Session, own_account: str) -> None:
    """End the connections of all clients but of the account that does the move; replicas are no clients."""
    rows = session.query(Statement(session.dialect.moves.clients, (own_account,)))
    cut(session, [int(row["id"]) for row in rows])


__all__ = ("OpenTransaction", "close_writes", "cut", "cut_clients", "read_transactions")
