# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Take a server out of a running pool or put it back, and wait until that is so."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from .._balancer.change import plan_change
from .._balancer.pool import Override, PoolError, ServerState
from .._balancer.status import as_results
from .balancing import RunningPool, now

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible.module_utils.basic import AnsibleModule

    from .._balancer.change import Change
    from .._balancer.pool import PoolServer
    from .._balancer.status import ServerStatus


class ChangeFailedError(Exception):
    """It did not come to what was asked for; the text says what stands now."""

    def __init__(self, message: str, *, changed: bool) -> None:
        super().__init__(message)
        self.changed = changed


def change_server(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the module's result."""
    options = module.params
    running = RunningPool(module)
    server = running.pool.server(options["server"])
    begin = time.monotonic()
    with running.locked():
        statuses = _seen(running, running.look())
        before = next(status for status in statuses if status.server == server)
        change = plan_change(statuses, running.overrides, server.name, _wanted(options), force=options["force"])
        changed = change.needed or running.pending
        if changed and not module.check_mode:
            _carry_out(running, before, change, options["timeout"])
    sessions = None if module.check_mode else _settle(running, server, change, options, changed=changed)
    return {
        "changed": changed,
        "servers": as_results(statuses if module.check_mode else running.look()),
        "sessions": sessions,
        "waited_seconds": round(time.monotonic() - begin, 1),
        "diff": _difference(before, change),
    }


def _wanted(options: c.Mapping[str, t.Any]) -> Override:
    return Override(
        state=ServerState(options["state"]),
        weight=options["weight"],
        since=now(),
        requested_by=options["requested_by"],
        reason=options["reason"],
    )


def _seen(running: RunningPool, statuses: c.Iterable[ServerStatus]) -> list[ServerStatus]:
    """Ask the servers themselves where the balancer does not know whether they are up."""
    return [
        dataclasses.replace(status, up=running.why_not_ready(status.server) is None)
        if status.up is None and status.state is ServerState.READY
        else status
        for status in statuses
    ]


def _carry_out(running: RunningPool, before: ServerStatus, change: Change, seconds: float) -> None:
    running.validate(change.overrides)
    _ensure_ready(running, before, change, seconds)
    try:
        running.set(change.overrides)
    except PoolError as exc:
        raise ChangeFailedError(f"{exc}. What was set is kept, and the next run goes on with it", changed=True) from exc


def _ensure_ready(running: RunningPool, before: ServerStatus, change: Change, seconds: float) -> None:
    """Send nobody to a server that is not ready: neither provider would know in time."""
    was_out = before.state is not ServerState.READY or before.weight == 0
    if change.takes_out or not was_out or not seconds:
        return
    problem = running.why_not_ready(before.server, seconds)
    if problem is not None:
        raise ChangeFailedError(
            f"{before.server.name} is not put back: {running.pool.health_path} at {before.server.endpoint} was "
            f"{problem} for {seconds:g} s. Nothing was changed. What to do: look at the server's journal, then run "
            "this again; timeout=0 puts it back all the same",
            changed=False,
        )


def _settle(
    running: RunningPool, server: PoolServer, change: Change, options: c.Mapping[str, t.Any], *, changed: bool
) -> int:
    seconds = options["timeout"]
    if not change.takes_out:
        if seconds and not running.wait_until_up(server, seconds):
            raise ChangeFailedError(
                f"{server.name} was put back, but the balancer does not hold it for healthy after {seconds:g} s",
                changed=changed,
            )
        return running.status(server).sessions
    left = running.wait_until_idle(server, seconds)
    if running.status(server).gets_requests:
        raise ChangeFailedError(f"{server.name} was put back by somebody else meanwhile", changed=changed)
    if left and seconds and options["at_timeout"] == "fail":
        raise ChangeFailedError(
            f"{server.name} gets no new requests, but still has {left} sessions after {seconds:g} s. What to do: run "
            "this again to go on waiting, or with at_timeout=proceed to cut them by what comes next",
            changed=changed,
        )
    return left


def _difference(before: ServerStatus, change: Change) -> dict[str, t.Any]:
    server = before.server
    state, weight = change.overrides.state_of(server), change.overrides.weight_of(server)
    return {
        "before": {"server": server.name, "state": before.state.value, "weight": before.weight},
        "after": {"server": server.name, "state": state.value, "weight": weight},
    }


__all__ = ("ChangeFailedError", "change_server")
