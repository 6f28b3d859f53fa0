# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Finish what a killed run has begun: bring everybody behind the server that takes the writes, or shall."""

from __future__ import annotations

import typing as t

from ..advice import rejoining_command
from ..status import ThreadState
from ..steps import Refusal
from .fitness import why_unfollowable
from .steps import Act, MovePlan, MoveStep, Stage, demotion, ending, preparation, promotion, turning

if t.TYPE_CHECKING:
    from ..topology import Server, Topology


def writers(topology: Topology) -> tuple[Server, ...]:
    """Return the servers that take writes, whether or not they still have a source; empty ones do not count."""
    return tuple(
        server
        for server in topology.servers
        if server.status is not None and not server.status.read_only and not server.status.pristine
    )


def followers_of(topology: Topology, primary: Server) -> tuple[Server, ...]:
    """Return the servers that follow this one, working or not, but for those that were never started."""
    return tuple(
        server
        for server, _status, link in topology.followers
        if primary.is_source_of(link)
        and (link.established or ThreadState.STOPPED not in (link.io_thread, link.sql_thread))
    )


def stragglers(topology: Topology, primary: Server) -> tuple[Server, ...]:
    """Return the servers that can be asked and do not follow the one that takes the writes; empty ones may."""
    following = followers_of(topology, primary)
    return tuple(
        server
        for server in topology.servers
        if server.status is not None and not server.status.pristine and server not in (primary, *following)
    )


def half_open(primary: Server) -> bool:
    """Tell whether it takes writes and has not forgotten its source: a run was killed in between."""
    return primary.status is not None and primary.status.link is not None


def _may_have_source(primary: Server) -> bool:
    """Tell whether it has to be told to forget one: commits that wait for a replica keep it from saying so itself."""
    return half_open(primary) or (primary.status is not None and primary.status.unread is not None)


def plan_gathering(topology: Topology, primary: Server) -> MovePlan | Refusal:
    """Let the servers follow that do not follow yet; nobody's history is buried by that."""
    late = stragglers(topology, primary)
    refusal = _refusal(primary, late)
    if refusal is not None:
        return refusal
    if not late and not _may_have_source(primary):
        return MovePlan(former=None, primary=primary.name)
    forgetting = _forgetting(primary.name) if _may_have_source(primary) else ()
    turned = tuple(step for server in late for step in _turned(server, primary))
    return MovePlan(
        former=None,
        primary=primary.name,
        stages=(Stage("gather", (*forgetting, *turned)), *ending(primary.name, [server.name for server in late])),
        predecessor=_predecessor(topology, primary),
    )


def plan_settlement(topology: Topology, target: str | None) -> MovePlan | Refusal:
    """Open one server when none takes writes: one that has all that any of them has."""
    if topology.unreachable:
        names = ", ".join(server.name for server in topology.unreachable)
        return Refusal(
            f"No server takes writes, and {names} cannot be asked. Nothing was changed. What to do: bring it back, or "
            "run a failover if it was the primary"
        )
    chosen = next((server for server in topology.servers if server.name == target), None)
    wanted = [server for server in topology.servers if _has_all(server, topology)]
    if not wanted or (chosen is not None and chosen not in wanted):
        names = ", ".join(server.name for server in wanted) or "none"
        return Refusal(
            f"No server takes writes, and of these servers {names} has everything that the others have. Nothing was "
            "changed. What to do: name one that has, or find out whose history is the true one"
        )
    primary = chosen or wanted[0]
    others = tuple(server for server in topology.servers if server is not primary)
    refusal = _refusal(primary, others)
    if refusal is not None:
        return refusal
    turned = tuple(step for server in others for step in _turned(server, primary))
    return MovePlan(
        former=None,
        primary=primary.name,
        stages=(
            Stage("settle", (preparation(primary.name), *promotion(primary.name), *turned)),
            *ending(primary.name, [server.name for server in others]),
        ),
    )


def _predecessor(topology: Topology, primary: Server) -> str | None:
    """Find who wrote the heartbeats before this one: by its number, or because it alone does not answer."""
    last = primary.status.beat_of_another if primary.status is not None else None
    others = [(server, status) for server, status in topology.answering if server is not primary]
    known = [server.name for server, status in others if last is not None and status.server_id == last.server_id]
    away = [server.name for server in topology.unreachable]
    found = known or away
    return found[0] if len(found) == 1 else None


def _forgetting(server: str) -> tuple[MoveStep, ...]:
    """Leave the commits of an open server as they are: the killed run has let them wait before it opened it."""
    return (
        MoveStep(server, Act.STOP_REPLICATION, "a primary follows nobody"),
        MoveStep(server, Act.FORGET_SOURCE, "a primary follows nobody"),
    )


def _turned(server: Server, primary: Server) -> tuple[MoveStep, ...]:
    if server.status is not None and server.status.link is None:
        closing = MoveStep(server.name, Act.CLOSE_WRITES, "a replica takes writes from its source only")
        return (closing, *demotion(server.name, primary.name))
    return turning(server.name, primary.name)


def _has_all(candidate: Server, topology: Topology) -> bool:
    status = candidate.status
    return status is not None and all(
        other.status is not None
        and other.status.engine is status.engine
        and status.executed.contains(other.status.executed)
        for other in topology.servers
    )


def _refusal(primary: Server, late: tuple[Server, ...]) -> Refusal | None:
    for server in late:
        if server.status is None or primary.status is None:
            continue
        if server.status.engine is not primary.status.engine:
            return Refusal(f"{server.name} and {primary.name} run different engines. Nothing was changed")
        own = server.status.executed.subtract(primary.status.executed)
        if own:
            return Refusal(
                f"{server.name} does not follow {primary.name} and has transactions that {primary.name} lacks: {own}. "
                f"Nothing was changed. What to do: {rejoining_command(server.name)}"
            )
        purged = why_unfollowable(server, primary)
        if purged is not None:
            return Refusal(f"{purged}. Nothing was changed. What to do: {rejoining_command(server.name)}")
    return None


__all__ = ("followers_of", "half_open", "plan_gathering", "plan_settlement", "stragglers", "writers")
