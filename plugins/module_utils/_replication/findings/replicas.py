# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Rules about each replica, alone and beside the primary."""

from __future__ import annotations

import re
import typing as t

from ..advice import advice, rejoining_command
from ..status import ThreadState
from .finding import Case

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..gtid import Gtids
    from ..topology import Topology
    from .finding import Policy

_LONGEST_SET = 160
"""Of a GTID set in a reason, in characters: some have ten thousand intervals."""


def astray(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """It follows another server than the primary, or nobody."""
    primary = topology.primary
    if primary is None:
        return
    action = f"{rejoining_command()} makes it a replica of {primary.name}"
    for server, status in topology.answering:
        link = status.link
        if link is None and server is not primary:
            yield Case(server.name, f"it follows nobody, and {primary.name} takes the writes", action)
        elif link is not None and link.known and not primary.is_source_of(link):
            yield Case(server.name, f"it follows {link.endpoint}, and {primary.name} takes the writes", action)


def not_running(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """A thread does not run."""
    for server, _status, link in topology.followers:
        threads = (("IO", link.io_thread, link.io_error), ("SQL", link.sql_thread, link.sql_error))
        for name, state, error in threads:
            if state is not ThreadState.RUNNING:
                why = f": {error}" if error else ", without an error"
                yield Case(
                    server.name,
                    f"its {name} thread (source {link.endpoint}) is {state.value}{why}",
                    advice(error),
                )


def writable(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """It follows a source and can be written to."""
    for server, status, _link in topology.followers:
        if not status.read_only:
            yield Case(server.name, "it follows a source and takes writes of its own")


def errant(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """It has what the primary lacks, whatever its threads say."""
    primary = topology.primary
    for server, _status, _link in topology.followers:
        extra = topology.errant(server)
        if primary is not None and extra:
            yield Case(server.name, f"it has transactions that {primary.name} lacks: {_shortened(extra)}")


def in_need_of_purged(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """It has to fetch what its source has deleted. A link that runs keeps its source from deleting that."""
    primary = topology.primary
    for server, status in topology.answering:
        link = status.link
        if server is primary or (link is not None and link.io_thread is ThreadState.RUNNING):
            continue
        source = (topology.source_of(link) if link is not None else None) or primary
        if source is None or source.status is None or source.status.engine is not status.engine:
            continue
        purged = source.status.purged
        lost = purged.ahead_of(status.possessed)
        if lost:
            reason = f"{source.name} has purged {lost} transactions that it lacks, all up to {_shortened(purged)}"
            yield Case(server.name, reason)


def behind(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """It is late, by the engine's count or by the heartbeat, whichever is worse."""
    for server, _status, link in topology.followers:
        by_heartbeat = topology.heartbeat_lag(server)
        waiting = topology.transactions_behind(server)
        by_engine = link.lag_seconds
        lag = max(by_engine or 0, by_heartbeat or 0)
        if lag > policy.max_lag:
            said = "nothing" if by_engine is None else f"{by_engine} s"
            heartbeat = "none" if by_heartbeat is None else f"{by_heartbeat:.0f} s"
            yield Case(
                server.name,
                f"it is {lag:.0f} s behind its source, allowed are {policy.max_lag} s (the engine says {said}, the "
                f"heartbeat {heartbeat}; transactions behind: {'unknown' if waiting is None else waiting})",
            )


def in_clear(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """Its link could be read or answered by somebody else."""
    for server, _status, link in topology.followers:
        if not policy.tls_required or not link.known or (link.tls and link.tls_verified):
            continue
        how = "does not check the certificate of" if link.tls else "reads in clear from"
        yield Case(server.name, f"it {how} {link.endpoint}")


def older(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """What a newer source writes an older replica may not understand."""
    primary = topology.primary
    if primary is None or primary.status is None:
        return
    newest = primary.status
    for server, status, _link in topology.followers:
        if status.engine is not newest.engine or _release(newest.version) > _release(status.version):
            yield Case(
                server.name,
                f"it runs {status.engine.value} {status.version}, and {primary.name}, whose changes it applies, "
                f"{newest.engine.value} {newest.version}",
            )


def _release(version: str) -> tuple[int, ...]:
    """Read major and minor: patches of one release replicate both ways."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _shortened(gtids: Gtids) -> str:
    text = str(gtids)
    return text if len(text) <= _LONGEST_SET else f"{text[:_LONGEST_SET]} … ({len(text)} characters in all)"


__all__ = (
    "astray",
    "behind",
    "errant",
    "in_clear",
    "in_need_of_purged",
    "not_running",
    "older",
    "writable",
)
