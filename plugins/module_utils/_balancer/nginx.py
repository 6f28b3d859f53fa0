# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""nginx's words: the lines of its upstream block, and what its log of requests tells.

Its open-source edition takes no orders at run time and keeps no figures of servers, so what is set for a server stands
in its configuration, and what servers did stands in its log.
"""

from __future__ import annotations

import re
import typing as t

from .pool import PoolError, ServerState
from .status import LastCheck, ServerStatus

if t.TYPE_CHECKING:
    import collections.abc as c

    from .pool import Overrides, Pool, PoolServer

BEGIN = "# The servers. What M(webinfra.stack.server_state) sets is written here."
END = "# End of the servers."
_ATTEMPT = re.compile(r'server=(?P<servers>\S+(?:, \S+)*) tries="(?P<tries>[^"]*)"')
_LINE = re.compile(
    r"server (?P<endpoint>\S+) (?:weight=(?P<weight>\d+)|down)[^;]*; # (?P<name>[^,]+)(?:, (?P<state>\w+))?$"
)
_LEAST_FAILURE = 502


def server_lines(servers: c.Sequence[PoolServer], overrides: Overrides) -> list[str]:
    """Return the lines of the upstream block between which nothing else may stand."""
    return [BEGIN, *(_line(server, overrides) for server in servers), END]


def with_server_lines(configuration: str, lines: c.Sequence[str]) -> str:
    """Replace these lines in a configuration, and leave the rest as it is."""
    old = configuration.splitlines(keepends=True)
    places = [number for number, line in enumerate(old) if line.strip() in {BEGIN, END}]
    if len(places) != 2:  # noqa: PLR2004
        raise PoolError("its list of servers is not marked as the role load_balancer marks it; run that role")
    first, last = places
    indent = old[first][: -len(old[first].lstrip())]
    return "".join((*old[:first], *(f"{indent}{line}\n" for line in lines), *old[last + 1 :]))


def read_statuses(
    pool: Pool,
    overrides: Overrides,
    *,
    configuration: str,
    sessions: c.Mapping[str, int],
    log: c.Sequence[str],
) -> list[ServerStatus]:
    """Say of each server what it is configured to do, what connections it has and what the last requests show."""
    lines = {found["name"]: found for line in configuration.splitlines() if (found := _LINE.match(line.strip()))}
    counted: dict[str, int] = {}
    checks: dict[str, LastCheck] = {}
    for endpoint, outcome in _attempts(log):
        counted[endpoint] = counted.get(endpoint, 0) + 1
        checks[endpoint] = LastCheck(outcome=outcome, passed=outcome.isdigit() and int(outcome) < _LEAST_FAILURE)
    statuses = []
    for server in pool.servers:
        line = lines.get(server.name)
        if line is None:
            raise PoolError(f"nginx is not configured for {server.name}; run the role load_balancer")
        state = ServerState(line["state"] or "ready")
        # A server that is out shows no weight: it will have the one that is set for it.
        weight = int(line["weight"] or 0) if state is ServerState.READY else overrides.weight_of(server)
        statuses.append(
            ServerStatus(
                server=server,
                state=state,
                weight=weight,
                up=None,
                sessions=sessions.get(server.endpoint, 0),
                requests=counted.get(server.endpoint, 0),
                last_check=checks.get(server.endpoint),
                override=overrides.get(server.name),
            )
        )
    return statuses


def _attempts(log: c.Iterable[str]) -> c.Iterator[tuple[str, str]]:
    for line in log:
        found = _ATTEMPT.search(line)
        if found is not None:
            yield from zip(found["servers"].split(", "), found["tries"].split(", "), strict=False)


def _line(server: PoolServer, overrides: Overrides) -> str:
    share = overrides.share_of(server)
    words = ["server", server.endpoint, f"weight={share}" if share else "down", "max_fails=1", "fail_timeout=2s"]
    if server.max_connections:
        words.append(f"max_conns={server.max_connections}")
    if server.backup:
        words.append("backup")
    note = "" if overrides.state_of(server) is ServerState.READY else f", {overrides.state_of(server).value}"
    return f"{' '.join(words)}; # {server.name}{note}"


__all__ = ("BEGIN", "END", "read_statuses", "server_lines", "with_server_lines")
