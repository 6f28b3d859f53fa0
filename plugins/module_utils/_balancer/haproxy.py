# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""HAProxy's words: what its socket prints, the file that it starts with, and the orders it takes.

Rule: HAProxy's management guide, section 9.1 (CSV format) and 9.3 (C(show servers state), C(set server)).
"""

from __future__ import annotations

import csv
import typing as t

from .pool import PoolError, ServerState
from .status import LastCheck, ServerStatus

if t.TYPE_CHECKING:
    import collections.abc as c

    from .pool import Overrides, Pool, PoolServer

BACKEND = "servers"
COUNTS = f"show stat {BACKEND} 4 -1"
LOOK = f"show servers state {BACKEND}; {COUNTS}"
_FORCED_MAINTENANCE, _FORCED_DRAIN = 0x01, 0x08
_MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20
_DRAIN = 0x08 | 0x10
_RUNNING, _STOPPED = 2, 0
_NOT_CHECKED_YET, _CHECK_ENABLED, _RISE = 1, 6, 2
_WORDS = {ServerState.READY: "ready", ServerState.DRAIN: "drain", ServerState.MAINTENANCE: "maint"}
_COLUMNS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
    "srv_agent_addr srv_agent_port"
)
_BACKEND_ID = 3
"""HAProxy numbers its sections; it looks up rows by their names and only warns about another number."""


def state_file(servers: c.Sequence[PoolServer], overrides: Overrides) -> str:
    """Write what HAProxy shall know when it starts or is reloaded: the servers for which something was set."""
    rows = [
        _row(number, server, overrides) for number, server in enumerate(servers, start=1) if server.name in overrides
    ]
    return "\n".join(("1", f"# {_COLUMNS}", *rows)) + "\n"


def orders(before: ServerStatus, overrides: Overrides) -> list[str]:
    """Return what brings a running HAProxy to what is set for a server."""
    server = before.server
    weight, state = overrides.weight_of(server), overrides.state_of(server)
    found = []
    if before.weight != weight:
        found.append(f"set server {BACKEND}/{server.name} weight {weight}")
    if before.state is not state:
        found.append(f"set server {BACKEND}/{server.name} state {_WORDS[state]}")
    return found


def parse_old_workers(text: str) -> list[int]:
    """Read what C(show proc) prints at the first process's socket: who still finishes what it has after a reload."""
    _, _, old = text.partition("# old workers")
    return [int(line.split()[0]) for line in old.partition("\n#")[0].splitlines() if line.split()]


def parse_sessions(text: str, server: PoolServer) -> int:
    """Read how many sessions of a server a worker has, from its C(show stat)."""
    rows = _rows(text, "# pxname", separator=",")
    return sum(int(row["scur"]) for row in rows if row["svname"] == server.name)


def parse_look(text: str, pool: Pool, overrides: Overrides) -> list[ServerStatus]:
    """Read the answer to C(LOOK)."""
    states = _rows(text, "# be_id", separator=" ")
    statistics = _rows(text, "# pxname", separator=",")
    found = []
    for server in pool.servers:
        state = next((row for row in states if row["srv_name"] == server.name), None)
        counts = next((row for row in statistics if row["svname"] == server.name), None)
        if state is None or counts is None:
            raise PoolError(
                f"the running HAProxy does not know {server.name}; run the role load_balancer, which reloads it"
            )
        found.append(_status(server, state, counts, overrides))
    return found


def _status(
    server: PoolServer, state: c.Mapping[str, str], counts: c.Mapping[str, str], overrides: Overrides
) -> ServerStatus:
    admin = int(state["srv_admin_state"])
    mode = ServerState.READY
    if admin & _DRAIN:
        mode = ServerState.DRAIN
    if admin & _MAINTENANCE:
        mode = ServerState.MAINTENANCE
    return ServerStatus(
        server=server,
        state=mode,
        weight=int(state["srv_uweight"]),
        up=None if mode is ServerState.MAINTENANCE else int(state["srv_op_state"]) == _RUNNING,
        sessions=int(counts["scur"]),
        requests=int(counts["stot"]),
        last_check=_last_check(counts),
        changed_seconds_ago=_number(counts["lastchg"]),
        downtime_seconds=_number(counts["downtime"]),
        override=overrides.get(server.name),
    )


def _last_check(counts: c.Mapping[str, str]) -> LastCheck | None:
    outcome = counts["check_status"].removeprefix("* ")
    if not outcome or outcome in {"INI", "UNK"}:
        return None
    code = f" {counts['check_code']}" if counts["check_code"] else ""
    took = _number(counts["check_duration"])
    return LastCheck(
        outcome=f"{outcome}{code}", passed="OK" in outcome, milliseconds=None if took is None else float(took)
    )


def _row(number: int, server: PoolServer, overrides: Overrides) -> str:
    state = overrides.state_of(server)
    admin = {ServerState.DRAIN: _FORCED_DRAIN, ServerState.MAINTENANCE: _FORCED_MAINTENANCE}.get(state, 0)
    stopped = state is ServerState.MAINTENANCE
    running = _STOPPED if stopped else _RUNNING
    ours = [_BACKEND_ID, BACKEND, number, server.name, server.address, running, admin]
    weights = [overrides.weight_of(server), server.weight]
    # Up until checks have failed as often as they have to.
    checks = [0, _NOT_CHECKED_YET, 0, 0 if stopped else _RISE, _CHECK_ENABLED, 0]
    rest = [*checks, 0, 0, "-", server.port, "-", 0, 0, "-", "-", 0]
    return " ".join(str(value) for value in (*ours, *weights, *rest))


def _rows(text: str, header: str, *, separator: str) -> list[dict[str, str]]:
    """Cut one table out of what the socket printed."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(header)), None)
    if start is None:
        raise PoolError(f"HAProxy prints no table with the header {header!r}: {text.strip()[:200]}")
    end = next((number for number in range(start, len(lines)) if not lines[number].strip()), len(lines))
    names, *rows = csv.reader(lines[start:end], delimiter=separator)
    names = names[1:] if separator == " " else [names[0].removeprefix("# "), *names[1:]]
    return [dict(zip(names, row, strict=False)) for row in rows]


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


__all__ = (
    "BACKEND",
    "COUNTS",
    "LOOK",
    "orders",
    "parse_look",
    "parse_old_workers",
    "parse_sessions",
    "state_file",
)
