# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A look at the source with the replica's own account, before the replica is changed."""

from __future__ import annotations

from .._replication.errors import DatabaseError
from .._replication.steps import SourceSettings, SourceView
from .connection import Login, connected


def look_at_source(source: SourceSettings, *, connect_timeout: float, statement_timeout: float) -> SourceView:
    """Find out who the source is and what it has; why not is an answer as well."""
    login = Login(
        host=source.host,
        port=source.port,
        user=source.user,
        password=source.password,
        ca_file=source.ca_file,
        connect_timeout=connect_timeout,
        statement_timeout=statement_timeout,
    )
    try:
        with connected(login) as session:
            return SourceView(identity=session.dialect.read_identity(session))
    except DatabaseError as exc:
        return SourceView(identity=None, reason=str(exc))


__all__ = ("look_at_source",)
