# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a replica may become the primary, and whether the others can follow it then."""

from __future__ import annotations

import typing as t

from ..status import ThreadState

if t.TYPE_CHECKING:
    from ..status import Link, ServerStatus
    from ..topology import Server


def why_unfit(server: Server, primary: Server, *, max_lag: float) -> str | None:
    """Say what keeps a server from taking over from a primary that is there."""
    status = server.status
    if status is None:
        return f"{server.name} cannot be asked: {server.problem}"
    if status.unread:
        return f"{server.name} does not answer {status.unread}: its disk may be full"
    if status.link is None or not primary.is_source_of(status.link):
        followed = status.link.endpoint if status.link else "nobody"
        return f"{server.name} follows {followed}, and not {primary.name}"
    return (
        _without_history(server, status)
        or _stopped(server, status.link)
        or _behind(server, primary, status, max_lag)
        or _errant(server, primary, status)
    )


def why_broken(server: Server, primary: Server) -> str | None:
    """Say what keeps a server from following along when another one becomes its source."""
    status = server.status
    if status is None:
        return f"{server.name} cannot be asked: {server.problem}"
    if status.link is None or not primary.is_source_of(status.link):
        return f"{server.name} does not follow {primary.name}"
    return _stopped(server, status.link) or _errant(server, primary, status)


def why_unfollowable(server: Server, target: Server) -> str | None:
    """Say why a server would not find in the target's logs what it still lacks."""
    if server.status is None or target.status is None:
        return None
    needed = target.status.purged.subtract(server.status.executed)
    if not needed:
        return None
    return f"{target.name} has purged what {server.name} still needs: {needed}"


def _without_history(server: Server, status: ServerStatus) -> str | None:
    if status.log_bin and status.gtid_enabled and status.link is not None and status.link.auto_position:
        return None
    return f"{server.name} keeps no complete GTID history, so that nobody could follow it"


def _stopped(server: Server, link: Link) -> str | None:
    if link.waits_for_disk:
        return f"{server.name} waits for space on its disk"
    threads = (("IO", link.io_thread, link.io_error), ("SQL", link.sql_thread, link.sql_error))
    found = [
        f"its {name} thread is {state.value}" + (f": {error}" if error else "")
        for name, state, error in threads
        if state is not ThreadState.RUNNING
    ]
    return f"{server.name} does not replicate: {'; '.join(found)}" if found else None


def _behind(server: Server, primary: Server, status: ServerStatus, max_lag: float) -> str | None:
    lags: list[float] = [status.link.lag_seconds or 0] if status.link else []
    written = primary.status.heartbeat_written if primary.status else None
    if written is not None and status.heartbeat_written is not None:
        lags.append(written - status.heartbeat_written)
    lag = max(lags, default=0)
    return f"{server.name} is {lag:.1f} s behind, allowed are {max_lag:g} s" if lag > max_lag else None


def _errant(server: Server, primary: Server, status: ServerStatus) -> str | None:
    if primary.status is None or primary.status.engine is not status.engine:
        return f"{server.name} cannot be compared with {primary.name}"
    errant = status.executed.subtract(primary.status.executed)
    return f"{server.name} has transactions that {primary.name} lacks: {errant}" if errant else None


__all__ = ("why_broken", "why_unfit", "why_unfollowable")
