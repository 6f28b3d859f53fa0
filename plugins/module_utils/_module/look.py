# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""One look at one server, with an end to it."""

from __future__ import annotations

import time
import typing as t

from .._replication.steps import SourceSettings
from .._sql.reading import read_in_time
from .._sql.source import look_at_source
from .login import login_of

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.status import ServerStatus

_ANSWER_SECONDS = 0.8
"""What a server has for its answers beyond the time for a connection."""


def look(params: c.Mapping[str, t.Any]) -> ServerStatus:
    """Read a server's status, or what of it can be read in time."""
    deadline = time.monotonic() + params["connect_timeout"] + _ANSWER_SECONDS
    reading = read_in_time(login_of(params), None, params["heartbeat_database"], deadline=deadline)
    reading.session.close()
    return reading.status


def beside_source(status: ServerStatus, params: c.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """Hold what a replica has against what its source has; asked last, it lacks nothing that has come from it."""
    link = status.link
    if params["source_user"] is None or link is None or not link.known:
        return None
    source = SourceSettings(
        host=link.host,
        port=link.port,
        user=params["source_user"],
        password=params["source_password"] or "",
        ca_file=params["source_ca_file"] or params["ca_file"],
    )
    view = look_at_source(source, connect_timeout=params["connect_timeout"], statement_timeout=_ANSWER_SECONDS)
    if view.identity is None or view.identity.engine != status.engine.value:
        reason = view.reason or f"{link.endpoint} runs {view.identity.engine if view.identity else 'another engine'}"
        return {"problem": reason, "transactions_behind": None, "errant_transactions": None}
    executed = view.identity.executed
    return {
        "problem": None,
        "transactions_behind": executed.ahead_of(status.executed),
        "errant_transactions": str(status.executed.subtract(executed)),
    }


__all__ = ("beside_source", "look")
