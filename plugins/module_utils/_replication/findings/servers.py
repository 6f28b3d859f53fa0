# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Rules about each server, whatever its role."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from ..topology import ClockOffset
from .finding import Case

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..topology import Topology
    from .finding import Policy

_HERE = ClockOffset(least=0, most=0)


def unreachable(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """A server could not be asked."""
    for server in topology.unreachable:
        if not server.hangs:
            yield Case(server.name, server.problem or "it could not be asked", server.remedy)


def hanging(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """A server lets in and does not answer, or not everything."""
    for server in topology.servers:
        if server.hangs:
            yield Case(server.name, server.problem or "it lets in and does not answer")
    for server, status in topology.answering:
        if status.unread is not None:
            link = status.link
            threads = f": IO {link.io_thread.value}, SQL {link.sql_thread.value}" if link else ""
            disk = ", and one of them waits for space on the disk" if link and link.waits_for_disk else ""
            yield Case(
                server.name,
                f"it does not answer {status.unread}; what it says without that{threads}{disk}",
            )


def waiting_for_disk(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """A thread waits for space, while everything is said to run."""
    for server, status, link in topology.followers:
        if link.waits_for_disk and status.unread is None:
            yield Case(
                server.name,
                f"a replication thread waits for space on the disk, while its state says {link.io_thread.value}",
            )


def same_server_id(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """Servers with one number ignore what the other has written."""
    numbers = ((server.name, str(status.server_id)) for server, status in topology.answering)
    yield from _shared("server_id", numbers)


def same_server_uuid(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """Copies of a machine share what the first start has made."""
    uuids = ((server.name, status.server_uuid) for server, status in topology.answering)
    yield from _shared("server_uuid", uuids)


def without_gtid(topology: Topology, _policy: Policy) -> c.Iterator[Case]:
    """A server without a complete history, or a link that does not use it."""
    for server, status in topology.answering:
        if not (status.log_bin and status.gtid_enabled):
            log, mode = ("on" if on else "off" for on in (status.log_bin, status.gtid_enabled))
            yield Case(server.name, f"it keeps no complete GTID history (binary log {log}, GTID mode {mode})")
    for server, _status, link in topology.followers:
        if link.known and not link.auto_position:
            yield Case(
                server.name,
                "it finds its place by file and offset, which no other source knows",
                "run webinfra.stack.replication on it: that switches the link to GTID",
            )


def forgetful(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """A server that drops its binary logs sooner than a replica may come back."""
    for server, status in topology.answering:
        kept, wanted = status.binlog_retention_seconds, policy.longest_outage
        if wanted is not None and status.log_bin and 0 < kept < wanted:
            yield Case(
                server.name,
                f"it keeps binary logs for {kept} s, and a replica may be away for {wanted} s",
            )


def out_of_time(topology: Topology, policy: Policy) -> c.Iterator[Case]:
    """A clock that differs from the primary's, or from the one of this host."""
    primary = topology.primary
    for server in topology.servers:
        if server.clock is None:
            continue
        references = [("this host's", _HERE)]
        if primary is not None and primary.clock is not None and server is not primary:
            references.insert(0, (f"{primary.name}'s", primary.clock))
        for whose, reference in references:
            ahead = server.clock.ahead_of(reference)
            if abs(ahead) > policy.max_clock_skew:
                way = "ahead of" if ahead > 0 else "behind"
                yield Case(
                    server.name,
                    f"its clock is at least {abs(ahead):.1f} s {way} {whose}, allowed are {policy.max_clock_skew:g} s",
                )
                break


def _shared(what: str, identities: c.Iterable[tuple[str, str | None]]) -> c.Iterator[Case]:
    names: dict[str, list[str]] = defaultdict(list)
    for name, identity in identities:
        if identity is not None:
            names[identity].append(name)
    for identity, sharing in names.items():
        if len(sharing) > 1:
            yield Case(", ".join(sharing), f"they share the {what} {identity}: each ignores what the other has written")


__all__ = (
    "forgetful",
    "hanging",
    "out_of_time",
    "same_server_id",
    "same_server_uuid",
    "unreachable",
    "waiting_for_disk",
    "without_gtid",
)
