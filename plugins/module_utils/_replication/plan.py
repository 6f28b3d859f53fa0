# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""From what a server is and what it should be to the steps between: data, so that check mode can show them."""

from __future__ import annotations

import typing as t

from .refusals import NO_HISTORY, broken, differences, refusal, why_stopped, would_break
from .semi_sync import JUST_LOADED
from .status import LOGIN_ERRORS, ServerStatus, ThreadState
from .steps import Action, Plan, Refusal, SourceSettings, SourceView, Step

if t.TYPE_CHECKING:
    from .heartbeat import Heartbeat
    from .semi_sync import SemiSyncSettings
    from .status import Link


def needs_source(status: ServerStatus, wanted: SourceSettings) -> bool:
    """Tell whether the source has to be looked at first: only a link that runs as wanted speaks for itself."""
    return status.link is None or bool(differences(status.link, wanted)) or not status.link.running


def plan_replica(
    status: ServerStatus,
    wanted: SourceSettings,
    source: SourceView | None,
    *,
    password_differs: bool,
    repair: bool,
    password_renewed: bool = False,
    semi_sync: SemiSyncSettings | None = None,
) -> Plan | Refusal:
    """Plan how to make a server follow this source, or say why it must not."""
    problem = None if repair else broken(status.link, wanted, password_renewed=password_renewed)
    if problem is not None:
        return Refusal(problem)
    reasons = _reasons_to_follow(status, wanted, password_differs=password_differs)
    refused = refusal(status, wanted, source, would_break=bool(reasons) and would_break(status, wanted))
    if refused is not None:
        return refused
    steps = _loading(status, semi_sync)
    if steps or not status.writes_closed:
        steps.append(Step(Action.CLOSE_WRITES, "a replica takes writes from its source only"))
    steps += _setting(status, semi_sync)
    if status.pristine and status.executed:
        steps.append(Step(Action.CLEAR_HISTORY, "the server holds no data, only what its installation wrote"))
    return Plan((*steps, *_linking(status.link, reasons), *_hearing(status, reasons, semi_sync)))


def plan_primary(
    status: ServerStatus, semi_sync: SemiSyncSettings | None = None, heartbeat: Heartbeat | None = None
) -> Plan | Refusal:
    """Plan how to let a server take writes, or say why it must not."""
    if status.link is not None:
        return Refusal(
            f"It follows {status.link.endpoint}: opening it for writes would make two primaries. Nothing was changed. "
            "Promoting a replica is a failover or a switchover; if this one is to leave its source for good, "
            "stop its threads and reset them first"
        )
    if not status.log_bin or not status.gtid_enabled:
        return Refusal(NO_HISTORY.format(who="It"))
    steps = [*_loading(status, semi_sync), *_setting(status, semi_sync)]
    if status.read_only:
        steps.append(Step(Action.OPEN_WRITES, "the primary takes writes"))
    if heartbeat is not None and heartbeat.missing:
        steps.append(Step(Action.KEEP_HEARTBEAT, f"missing: {', '.join(heartbeat.missing)}"))
    return Plan(tuple(steps))


def _loading(status: ServerStatus, semi_sync: SemiSyncSettings | None) -> list[Step]:
    if semi_sync is None or status.semi_sync is not None:
        return []
    return [Step(Action.LOAD_SEMI_SYNC, "the plugins of semi-synchronous replication are not loaded")]


def _setting(status: ServerStatus, semi_sync: SemiSyncSettings | None) -> list[Step]:
    found = semi_sync.differences(status.semi_sync or JUST_LOADED) if semi_sync is not None else []
    return [Step(Action.SET_SEMI_SYNC, "; ".join(found))] if found else []


def _linking(link: Link | None, reasons: list[str]) -> list[Step]:
    """Set the link anew where there is a reason to, and have it run."""
    if reasons:
        stop = link is not None and not _stopped(link)
        return [
            *([Step(Action.STOP_THREADS, "the source can only be changed while nothing replicates")] if stop else []),
            Step(Action.FOLLOW, "; ".join(reasons)),
            Step(Action.START_THREADS, "a changed source starts from rest"),
        ]
    if link is not None and ThreadState.STOPPED in (link.io_thread, link.sql_thread):
        return [Step(Action.START_THREADS, why_stopped(link))]
    return []


def _hearing(status: ServerStatus, reasons: list[str], semi_sync: SemiSyncSettings | None) -> list[Step]:
    """Connect anew where the link stays and its source does not know that this replica acknowledges."""
    stays = not reasons and status.link is not None and status.link.sql_thread is not ThreadState.STOPPED
    if semi_sync is None or not stays or not _unheard(status):
        return []
    return [Step(Action.RECONNECT, "whether a replica acknowledges is agreed upon when it connects")]


def _unheard(status: ServerStatus) -> bool:
    """Tell whether the source of a running link does not know that this replica acknowledges."""
    running = status.link is not None and status.link.io_thread is ThreadState.RUNNING
    have = status.semi_sync or JUST_LOADED
    return running and not (have.replica_enabled and have.replica_active)


def _reasons_to_follow(status: ServerStatus, wanted: SourceSettings, *, password_differs: bool) -> list[str]:
    link = status.link
    if link is None:
        return ["no source is configured"]
    found = differences(link, wanted)
    if password_differs:
        found.append("the stored password is another one")
    elif link.io_error and link.io_error.code in LOGIN_ERRORS and link.io_thread is not ThreadState.RUNNING:
        found.append(f"the source refused the stored login (error {link.io_error.code})")
    return found


def _stopped(link: Link) -> bool:
    return link.io_thread is ThreadState.STOPPED and link.sql_thread is ThreadState.STOPPED


__all__ = ("needs_source", "plan_primary", "plan_replica")
