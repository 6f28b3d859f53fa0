# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Let the new primary write the heartbeat: an event that has come by replication is disabled."""

from __future__ import annotations

import typing as t

from ..events import altered
from ..heartbeat import HEARTBEAT_TABLE
from ..session import Statement

if t.TYPE_CHECKING:
    from ..session import Session

_EVENT = HEARTBEAT_TABLE
"""The event is called like the table."""


def let_beat(session: Session, database: str) -> None:
    """Enable the event where there is one; that travels, and disables it on the former primary."""
    rows = session.query(
        Statement(
            "SELECT STATUS AS state, DEFINER AS definer FROM information_schema.EVENTS"
            " WHERE EVENT_SCHEMA = %s AND EVENT_NAME = %s",
            (database, _EVENT),
        )
    )
    if not rows or rows[0]["state"] == "ENABLED":
        return
    session.query(altered(database, _EVENT, str(rows[0]["definer"]), "ENABLE"))


__all__ = ("let_beat",)
