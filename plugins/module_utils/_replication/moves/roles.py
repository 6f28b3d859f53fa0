# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Who is what, in a word or three: before a move, after it, and as it is predicted."""

from __future__ import annotations

import typing as t

from .steps import Act

if t.TYPE_CHECKING:
    from ..topology import Server, Topology
    from .steps import MovePlan

PRIMARY = "primary"
CLOSED = "closed"
UNKNOWN = "cannot be asked"


def roles(topology: Topology) -> dict[str, str]:
    """Return the role of every server."""
    return {server.name: _role(server, topology) for server in topology.servers}


def roles_after(topology: Topology, plan: MovePlan) -> dict[str, str]:
    """Return the roles once a plan has been carried out."""
    found = roles(topology)
    for step in plan.steps:
        if step.act in (Act.FOLLOW, Act.FOLLOW_AS_FORMER_PRIMARY) and step.source is not None:
            found[step.server] = _following(step.source)
        elif step.act is Act.OPEN_WRITES:
            found[step.server] = PRIMARY
        elif step.act is Act.CLOSE_WRITES:
            found[step.server] = CLOSED
    return found


def _role(server: Server, topology: Topology) -> str:
    status = server.status
    if status is None:
        return UNKNOWN
    if status.link is None:
        return CLOSED if status.read_only else PRIMARY
    source = topology.source_of(status.link)
    following = _following(source.name if source is not None else status.link.endpoint)
    return following if status.read_only else f"{following}, and takes writes"


def _following(source: str) -> str:
    return f"replica of {source}"


__all__ = ("PRIMARY", "roles", "roles_after")
