# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Every way in which talking to a database server can fail, with words for the operator."""

from __future__ import annotations


class DatabaseError(Exception):
    """Something that an operator has to know; the text says what, where and what to do."""


class ConnectionFailedError(DatabaseError):
    """The server could not be reached, or what answered there cannot be used."""

    def __init__(self, reason: str, action: str) -> None:
        super().__init__(f"{reason}. What to do: {action}")
        self.reason = reason
        self.action = action


class LoginRefusedError(ConnectionFailedError):
    """The server answered and does not let this account in."""


class StatementFailedError(DatabaseError):
    """The server refused a statement."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class StatementTimeoutError(DatabaseError):
    """The server took a statement and did not answer in time."""

    def __init__(self, statement: str, message: str) -> None:
        super().__init__(message)
        self.statement = statement


class MalformedGtidError(DatabaseError):
    """A text is not a GTID set of this engine."""


class IncomparableGtidsError(DatabaseError):
    """GTID sets of two engines have nothing to say about each other."""


class RefusedError(DatabaseError):
    """The change would be dangerous or impossible; nothing was changed."""


class OneSidedViewError(RefusedError):
    """It was refused by the view of a host that reaches next to nobody; another host may see more."""


class ReplicationFailedError(DatabaseError):
    """Replication was set up and does not work."""


__all__ = (
    "ConnectionFailedError",
    "DatabaseError",
    "IncomparableGtidsError",
    "LoginRefusedError",
    "MalformedGtidError",
    "OneSidedViewError",
    "RefusedError",
    "ReplicationFailedError",
    "StatementFailedError",
    "StatementTimeoutError",
)
