# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Rules about the primary: that there is one, and that it does what only it can do."""

from __future__ import annotations

import typing as t

from .finding import Case

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..status import SemiSync
    from ..topology import Server, Topology
    from .finding import Policy


def none(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """No server takes writes."""
    if not topology.writable:
        states = ", ".join(
            f"{server.name} is {server.status.role.value if server.status else 'unreachable'}"
            for server in topology.servers
        )
        yield Case(policy.primary or "all servers", f"no server takes writes: {states}")


def several(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """Nobody knows which of them is right."""
    writable = topology.writable
    if len(writable) > 1:
        yield Case(
            ", ".join(server.name for server in writable),
            f"{len(writable)} servers take writes and follow nobody",
        )


def unexpected(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """The primary is another one than was said."""
    primary = topology.primary
    if primary is not None and policy.primary is not None and primary.name != policy.primary:
        yield Case(primary.name, f"it takes the writes, and {policy.primary} was expected to")


def not_acknowledged(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """Commits should wait for a replica, and do not, or wait for one that is not there."""
    primary = topology.primary
    status = primary.status if primary is not None else None
    if primary is not None and status is not None:
        reason = _degraded(status.semi_sync, required=policy.semi_sync_required)
        if reason is not None:
            yield Case(primary.name, reason)
    source_waits = bool(status and status.semi_sync and status.semi_sync.source_enabled)
    for server, replica, link in topology.followers:
        semi_sync = replica.semi_sync
        if semi_sync is None:
            continue
        if semi_sync.source_enabled and semi_sync.waits_without_replica and not semi_sync.enough:
            yield Case(
                server.name,
                "its own applier waits for an acknowledgement that nobody sends, because it is set up as a primary",
                "run webinfra.stack.replication on it with state=replica: commits wait on the primary only",
            )
        elif source_waits and semi_sync.replica_enabled and link.running and not semi_sync.replica_active:
            yield Case(server.name, "it is set up to acknowledge and does not", "restart its IO thread")


def acknowledged_by_stranger(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """A server that is none of these acknowledges commits: what it alone has, nobody asks it for."""
    primary = topology.primary
    status = primary.status if primary is not None else None
    if primary is None or status is None or status.semi_sync is None or not status.semi_sync.source_enabled:
        return
    known = {address for server in topology.servers for address in (*server.addresses, server.name)}
    strangers = sorted(set(status.connected_replicas) - known)
    expected = sum(1 for server in topology.servers if server is not primary and _may_acknowledge(server))
    if strangers and status.semi_sync.acknowledging_replicas > expected:
        yield Case(
            primary.name,
            f"{', '.join(strangers)} replicates from it and acknowledges commits, and is none of these servers: what "
            f"it alone has is lost when {primary.name} fails",
        )


def without_heartbeat(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """Without a heartbeat a stopped thread looks like no lag."""
    if policy.max_heartbeat_age is None:
        return
    for server, status in topology.answering:
        expected = server is topology.primary or status.link is not None
        if expected and status.unread is None and status.heartbeat_age_seconds is None:
            scheduler = "" if status.link or status.event_scheduler else ", and its event scheduler is off"
            whose = "of its source" if status.link else "of its own"
            yield Case(server.name, f"no heartbeat {whose} is to be seen here{scheduler}")


def with_old_heartbeat(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """The primary has stopped to write it. Where it arrives late, that is lag."""
    primary = topology.primary
    if policy.max_heartbeat_age is None or primary is None or primary.status is None:
        return
    age = primary.status.heartbeat_age_seconds
    if age is not None and age > policy.max_heartbeat_age:
        scheduler = "on" if primary.status.event_scheduler else "off"
        yield Case(
            primary.name,
            f"its last heartbeat is {age:.1f} s old, allowed are {policy.max_heartbeat_age:g} s; its event scheduler "
            f"is {scheduler}",
        )


def _may_acknowledge(server: Server) -> bool:
    """Tell whether it may be one of those that acknowledge; of one that cannot be asked nobody knows."""
    status = server.status
    return status is None or status.semi_sync is None or status.semi_sync.replica_active


def _degraded(semi_sync: SemiSync | None, *, required: bool) -> str | None:
    if semi_sync is None or not semi_sync.source_enabled:
        return "commits wait for no replica: semi-synchronous replication is off" if required else None
    counts = f"{semi_sync.acknowledging_replicas} of {semi_sync.wait_for_replicas} replicas acknowledge"
    limit = f"{semi_sync.timeout_seconds:g} s"
    if not semi_sync.commits_wait:
        return f"commits no longer wait for a replica ({counts}; a commit waits for {limit} at most)"
    return None if semi_sync.enough else f"commits wait up to {limit}, because {counts}"


__all__ = (
    "acknowledged_by_stranger",
    "none",
    "not_acknowledged",
    "several",
    "unexpected",
    "with_old_heartbeat",
    "without_heartbeat",
)
