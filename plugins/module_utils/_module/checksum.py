# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Open the sessions of a comparison: find the primary and its replicas by what they say, then compare."""

from __future__ import annotations

import contextlib
import typing as t

from .._replication.comparison.walk import Comparison, Pace
from .._replication.errors import RefusedError
from .._replication.topology import Server, Topology
from .._sql.connection import connected
from .servers import targets_of

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.comparison.report import Findings
    from .._replication.session import Session
    from .._sql.survey import Target

_STATEMENT_MARGIN_SECONDS = 60
"""A chunk is read in less, on a server that works at all."""


def compare(params: c.Mapping[str, t.Any]) -> Findings:
    """Compare the topology that the module's options describe."""
    pace = Pace(
        chunk_rows=params["chunk_rows"],
        load=params["load"],
        settle_seconds=params["settle_timeout"],
        catch_up_seconds=params["catch_up_timeout"],
        largest_whole=params["largest_unkeyed"],
    )
    longest = max(params["settle_timeout"], params["catch_up_timeout"]) + _STATEMENT_MARGIN_SECONDS
    targets = targets_of(params, statement_timeout=longest)
    with contextlib.ExitStack() as stack:
        sessions = {target.name: stack.enter_context(connected(target.login)) for target in targets}
        primary, replicas = _roles(targets, sessions, params["replicas"])
        return Comparison(sessions[primary], {name: sessions[name] for name in replicas}, pace).run(params["databases"])


def _roles(
    targets: c.Sequence[Target], sessions: c.Mapping[str, Session], asked_for: c.Sequence[str]
) -> tuple[str, list[str]]:
    topology = Topology(
        tuple(
            Server(
                name=target.name,
                addresses=target.addresses,
                port=target.login.port,
                status=sessions[target.name].dialect.read_status(sessions[target.name]),
            )
            for target in targets
        )
    )
    if topology.primary is None:
        taking = ", ".join(server.name for server in topology.writable) or "none"
        raise RefusedError(f"Exactly one of the servers has to take writes; {taking} of {', '.join(sessions)} does")
    broken = [server.name for server, _status, link in topology.followers if not link.running]
    wanted = list(asked_for) or [server.name for server, _status, _link in topology.followers]
    if broken or not wanted or set(wanted) - {server.name for server, _status, _link in topology.followers}:
        raise RefusedError(
            f"A replica has to replicate to be compared. Asked for: {', '.join(wanted) or 'all, and there is none'}; "
            f"broken: {', '.join(broken) or 'none'}. What to do: see what replication_check says"
        )
    return topology.primary.name, wanted


__all__ = ("compare",)
