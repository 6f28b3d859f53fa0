# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The login options that every database module has, and the session they open."""

from __future__ import annotations

import contextlib
import typing as t

from .._sql.connection import Login, connected
from .._sql.source import look_at_source

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.session import Session

LOGIN_OPTIONS: dict[str, dict[str, t.Any]] = {
    "login_unix_socket": {"type": "path", "default": "/run/mysqld/mysqld.sock"},
    "login_host": {"type": "str"},
    "login_port": {"type": "int", "default": 3306},
    "login_user": {"type": "str", "default": "root"},
    "login_password": {"type": "str", "default": "", "no_log": True},
    "ca_file": {"type": "path"},
    "connect_timeout": {"type": "int", "default": 3},
}

STATEMENT_SECONDS = 10
"""Longer than any read of a healthy server takes; STOP SLAVE on a dead source has been seen to take 5."""


def login_of(
    params: c.Mapping[str, t.Any], *, statement_timeout: float = STATEMENT_SECONDS, socket_encrypted: bool = False
) -> Login:
    """Read the login options."""
    return Login(
        unix_socket=params["login_unix_socket"],
        host=params["login_host"],
        port=params["login_port"],
        user=params["login_user"],
        password=params["login_password"] or "",
        ca_file=params["ca_file"],
        connect_timeout=params["connect_timeout"],
        statement_timeout=statement_timeout,
        socket_encrypted=socket_encrypted,
    )


@contextlib.contextmanager
def session_for(
    params: c.Mapping[str, t.Any], *, statement_timeout: float = STATEMENT_SECONDS, socket_encrypted: bool = False
) -> c.Iterator[Session]:
    """Open the session that the login options ask for."""
    with connected(login_of(params, statement_timeout=statement_timeout, socket_encrypted=socket_encrypted)) as session:
        yield session


__all__ = ("LOGIN_OPTIONS", "STATEMENT_SECONDS", "login_of", "look_at_source", "session_for")
