# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a MariaDB server that starts after a crash keeps the end of its binary log, or drops it.

What stands there may have been sent to replicas, and the engine below had not committed it yet. A primary that goes on
as the primary has to keep it, because a replica may have it and clients may have been told so. A server that was
replaced has to drop it, or it could not follow its successor. It decides by C(init_rpl_role) and cannot know which of
the two it is; the others do.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

    from .topology import Server


class InitialRole(enum.Enum):
    """What a server takes itself for while it recovers, in MariaDB's words."""

    MASTER = "MASTER"
    """It keeps the end of its log."""
    SLAVE = "SLAVE"
    """It drops it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a server starts, and why."""

    role: InitialRole
    reason: str


def plan_start(others: c.Collection[Server]) -> Start:
    """Let it drop only what a successor makes void; in doubt it keeps all, and at worst it has to be seeded."""
    writing = [other.name for other in others if _takes_writes(other)]
    if writing:
        return Start(role=InitialRole.SLAVE, reason=f"{writing[0]} takes writes")
    silent = [f"{other.name} does not answer ({other.problem})" for other in others if other.status is None]
    return Start(role=InitialRole.MASTER, reason="; ".join(["nobody else takes writes", *silent]))


def _takes_writes(server: Server) -> bool:
    status = server.status
    return status is not None and status.unread is None and not status.read_only and not status.pristine


__all__ = ("InitialRole", "Start", "plan_start")
