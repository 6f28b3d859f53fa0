# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Which servers do not follow the primary, and how each of them comes to do so."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from ..advice import GONE_FROM_SOURCE
from ..seeding.need import choose_donor, why_not_from_the_beginning
from ..status import Role, ThreadState
from ..steps import Refusal
from ..topology import Topology, choose_primary
from .own import Elsewhere

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..gtid import Gtids
    from ..status import Link, ServerStatus
    from ..topology import Server


class Way(enum.Enum):
    """What becomes of a server."""

    PRIMARY = "primary"
    REPLICA = "replica"
    """It follows the primary already."""
    FOLLOW = "follow"
    """All that it has is the primary's, so it follows by GTID."""
    SEED = "seed"
    """It is filled anew, after what it has alone was saved."""
    LEAVE = "leave"
    """It cannot be asked, or was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejoining:
    """One server, and its way back."""

    server: str
    way: Way
    reason: str
    own: str = ""
    """The transactions that it has and the primary lacks."""
    count: int = 0
    """How many they are, at least."""
    open: bool = False
    """It takes writes of its own, and has to be closed first."""
    donor: str | None = None


def plan_rejoining(
    servers: c.Sequence[Server], initial: str, chosen: c.Collection[str], died: c.Collection[str] = ()
) -> tuple[Rejoining, ...] | Refusal:
    """Plan the way back of the chosen servers, or say what has to be decided first.

    died: those that have tried to follow and died of it; their data is not to be lived with.
    """
    unknown = sorted(set(chosen) - {server.name for server in servers})
    if unknown:
        return Refusal(f"{', '.join(unknown)} is none of the database servers. Nothing was changed")
    name = choose_primary(servers, initial)
    if isinstance(name, Refusal):
        return name
    primary = next(server for server in servers if server.name == name)
    if primary.status is None or primary.status.role is not Role.PRIMARY or primary.status.pristine:
        return Refusal(
            f"No server takes writes that others could follow; {name} is the one that would. Nothing was changed. What "
            "to do: have it opened (ansible-playbook -i INVENTORY webinfra.stack.site), or another one promoted "
            "(ansible-playbook -i INVENTORY webinfra.stack.failover)"
        )
    return tuple(
        _rejoining(servers, primary, primary.status, server, chosen, died=server.name in died)
        for server in _leaves_first(servers)
    )


def _leaves_first(servers: c.Sequence[Server]) -> list[Server]:
    """Put those last that others still follow: they cannot be seeded before those have left."""
    topology = Topology(tuple(servers))
    followed = {source.name for _server, _status, link in topology.followers if (source := topology.source_of(link))}
    return sorted(servers, key=lambda server: server.name in followed)


def _rejoining(
    servers: c.Sequence[Server],
    primary: Server,
    source: ServerStatus,
    server: Server,
    chosen: c.Collection[str],
    *,
    died: bool,
) -> Rejoining:
    if server is primary:
        return Rejoining(server=server.name, way=Way.PRIMARY, reason="it takes the writes")
    left = _why_left(server, source, chosen)
    if server.status is None or left is not None:
        return Rejoining(server=server.name, way=Way.LEAVE, reason=left or "")
    status = server.status
    own = _own(status, source)
    reason = "it died when it began to follow" if died else _why_seeded(primary, source, status, own)
    if reason is not None:
        return Rejoining(
            server=server.name,
            way=Way.SEED,
            reason=reason,
            own=str(own),
            count=status.executed.alone(source.executed) if own else 0,
            open=not status.read_only,
            donor=choose_donor(servers, primary, server).name,
        )
    following = _why_following(primary, status)
    if following is None:
        return Rejoining(server=server.name, way=Way.REPLICA, reason=f"it follows {primary.name}")
    return Rejoining(server=server.name, way=Way.FOLLOW, reason=following, open=not status.read_only)


def _why_left(server: Server, source: ServerStatus, chosen: c.Collection[str]) -> str | None:
    if server.name not in chosen:
        return "it was not asked for"
    if server.status is None:
        return "it cannot be asked"
    if server.status.engine is not source.engine:
        return f"it runs {server.status.engine.value}, and the primary does not"
    return None


def _own(status: ServerStatus, source: ServerStatus) -> Gtids:
    """Return what a server has alone; what its installation has written does not count."""
    lacking = Elsewhere(known=source.executed, origin=source.origin).lacks(status.executed)
    return lacking.subtract(lacking) if status.pristine else lacking


def _why_seeded(primary: Server, source: ServerStatus, status: ServerStatus, own: Gtids) -> str | None:
    if own:
        return f"it has transactions that {primary.name} lacks: {own}"
    filling = why_not_from_the_beginning(source) if status.pristine else None
    if filling is not None:
        return filling.replace("the primary", primary.name)
    link = status.link
    purged = source.purged.ahead_of(status.possessed)
    if purged and not _receives(primary, link):
        return f"{purged} transactions that it lacks are no longer in the binary logs of {primary.name}"
    if link is not None and link.sql_error is not None:
        return f"it is broken: {link.sql_error}"
    if link is not None and primary.is_source_of(link) and link.io_error and link.io_error.code in GONE_FROM_SOURCE:
        return f"it is broken: {link.io_error}"
    return None


def _why_following(primary: Server, status: ServerStatus) -> str | None:
    link = status.link
    if link is None:
        return "it follows nobody"
    if not primary.is_source_of(link):
        return f"it follows {link.endpoint}"
    if not link.running:
        return "it does not replicate"
    return None if status.read_only else "it takes writes of its own"


def _receives(primary: Server, link: Link | None) -> bool:
    return link is not None and primary.is_source_of(link) and link.io_thread is ThreadState.RUNNING


__all__ = ("Rejoining", "Way", "plan_rejoining")
