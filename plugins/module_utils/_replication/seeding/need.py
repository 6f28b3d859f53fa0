# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Which servers have to be seeded, and from which other one."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..rejoining.own import Elsewhere
from ..status import Role, ThreadState

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..status import ServerStatus
    from ..topology import Server

_DONOR_LAG_SECONDS = 30
"""A replica that is further behind has more to do than to feed another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeding:
    """One server that has to be seeded."""

    target: str
    donor: str
    reason: str


def plan_seedings(servers: c.Sequence[Server], primary: str, *, forced: bool) -> list[Seeding]:
    """Plan the seedings that a topology needs; those of servers with data only when they are asked for."""
    source = next((server for server in servers if server.name == primary), None)
    if source is None or source.status is None:
        return []
    return [
        Seeding(target=server.name, donor=choose_donor(servers, source, server).name, reason=reason)
        for server in servers
        if server is not source
        if (reason := _reason(server, source, source.status, forced=forced)) is not None
    ]


def choose_donor(servers: c.Sequence[Server], primary: Server, target: Server) -> Server:
    """Prefer the healthy replica that is the least behind: the primary has other things to do."""
    fit = [server for server in servers if server is not target and _fit(server, primary)]
    return min(fit, key=_lag, default=primary)


def why_needed(status: ServerStatus, primary: ServerStatus) -> str | None:
    """Say why a server can only come to follow the primary by being seeded."""
    link = status.link
    if link is not None and link.io_thread is ThreadState.RUNNING and link.sql_error is None:
        return None
    purged = primary.purged.ahead_of(status.possessed)
    if purged:
        return f"{purged} transactions that it lacks are no longer in the primary's binary logs"
    if status.pristine:
        return why_not_from_the_beginning(primary)
    errant = status.executed.subtract(primary.executed)
    if errant:
        return f"it has transactions that the primary lacks: {errant}"
    error = next((found for found in (link.io_error, link.sql_error) if found is not None), None) if link else None
    return f"it is broken: {error}" if error is not None else None


def why_not_from_the_beginning(primary: ServerStatus) -> str | None:
    """Say why an empty server must not read all of the primary's logs: it skips what it has written itself once.

    A former primary whose disk was lost is empty and has its old number. Whose number a UUID had, nobody remembers.
    """
    if not primary.executed.without_origin(primary.origin):
        return None
    return "it is empty, and the primary's binary logs hold what another server has written: maybe itself"


def _reason(server: Server, primary: Server, source: ServerStatus, *, forced: bool) -> str | None:
    status = server.status
    if status is None or status.role is Role.PRIMARY or status.engine is not source.engine:
        return None
    reason = why_needed(status, source)
    if reason is None and forced and status.pristine:
        return "it is asked for, and the server is empty"
    if reason is None or not (status.pristine or forced):
        return None
    return reason.replace("the primary", primary.name)


def _fit(server: Server, primary: Server) -> bool:
    status, source = server.status, primary.status
    if status is None or source is None or status.link is None or server is primary:
        return False
    healthy = status.link.running and primary.is_source_of(status.link) and status.read_only
    return (
        healthy
        and status.version == source.version
        and (status.link.lag_seconds or 0) <= _DONOR_LAG_SECONDS
        and not Elsewhere(known=source.executed, origin=source.origin).lacks(status.executed)
        and not source.purged.ahead_of(status.executed)
    )


def _lag(server: Server) -> int:
    link = server.status.link if server.status is not None else None
    return (link.lag_seconds or 0) if link is not None else 0


__all__ = ("Seeding", "choose_donor", "plan_seedings", "why_needed", "why_not_from_the_beginning")
