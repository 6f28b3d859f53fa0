# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Make a server a replica or open it as the primary: look, plan, act, and see that it works."""

from __future__ import annotations

import enum
import time
import typing as t
from dataclasses import dataclass

from .advice import advice
from .errors import RefusedError
from .plan import (
    Action,
    Plan,
    Refusal,
    SourceSettings,
    SourceView,
    needs_source,
    plan_primary,
    plan_replica,
    predicted,
)
from .status import LOGIN_ERRORS, ServerStatus, ThreadState

if t.TYPE_CHECKING:
    import collections.abc as c

    from .session import Session

_PAUSE_SECONDS = 0.2
_SETTLE_SECONDS = 1.0
"""A replica that was just started must keep running this long: a bad event stops it only once it arrives."""


class Progress(enum.Enum):
    """How far a replica is on its way to replicating."""

    WORKING = "working"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found, what was done and what came of it."""

    before: ServerStatus
    after: ServerStatus
    plan: Plan
    failure: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.plan.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for replication, and by which clock."""

    timeout: float
    settle: float = _SETTLE_SECONDS
    clock: c.Callable[[], float] = time.monotonic
    sleep: c.Callable[[float], None] = time.sleep


def make_replica(
    session: Session,
    wanted: SourceSettings,
    *,
    look_at_source: c.Callable[[], SourceView],
    patience: Patience,
    repair: bool = False,
    check_mode: bool = False,
) -> Outcome:
    """Make the server follow its source and wait until it really does."""
    if len(wanted.password) > session.dialect.longest_source_password:
        raise RefusedError(
            f"replication_password has {len(wanted.password)} characters, and {session.dialect.engine.value} takes at "
            f"most {session.dialect.longest_source_password} for a link: give the account a shorter one"
        )
    before = session.dialect.read_status(session)
    differs = before.link is not None and session.dialect.stored_password_differs(session, wanted.password)
    source = look_at_source() if needs_source(before, wanted) or differs else None
    plan = _accepted(plan_replica(before, wanted, source, password_differs=differs, repair=repair))
    if check_mode:
        return Outcome(before=before, after=predicted(before, plan, wanted), plan=plan)
    _run(session, plan, wanted)
    started = any(step.action is Action.START_THREADS for step in plan.steps)
    after, failure = _wait(session, patience, settle=patience.settle if started else 0)
    return Outcome(before=before, after=after, plan=plan, failure=failure)


def make_primary(session: Session, *, check_mode: bool = False) -> Outcome:
    """Open the server for writes, unless it follows another one."""
    before = session.dialect.read_status(session)
    plan = _accepted(plan_primary(before))
    if check_mode or not plan.steps:
        return Outcome(before=before, after=predicted(before, plan, None), plan=plan)
    _run(session, plan, None)
    return Outcome(before=before, after=session.dialect.read_status(session), plan=plan)


def progress(status: ServerStatus) -> tuple[Progress, str]:
    """Judge whether a replica works, may still come to work, or will not by itself; and say why."""
    link = status.link
    if link is None:
        return Progress.FAILED, "no source is configured any more: something else resets this server"
    if link.sql_thread is ThreadState.STOPPED and link.sql_error is not None:
        return Progress.FAILED, f"The SQL thread has stopped: {link.sql_error}. What to do: {advice(link.sql_error)}"
    if link.io_error is not None and link.io_thread is not ThreadState.RUNNING:
        given_up = link.io_thread is ThreadState.STOPPED or link.io_error.code in LOGIN_ERRORS
        reason = f"The IO thread does not reach {link.endpoint}: {link.io_error}. What to do: {advice(link.io_error)}"
        return (Progress.FAILED if given_up else Progress.WAITING), reason
    if link.running:
        return Progress.WORKING, ""
    states = f"IO thread {link.io_thread.value}, SQL thread {link.sql_thread.value}"
    return Progress.WAITING, f"Not running yet: {states}. What to do: {advice(None)}"


def _accepted(decision: Plan | Refusal) -> Plan:
    if isinstance(decision, Refusal):
        raise RefusedError(decision.reason)
    return decision


def _run(session: Session, plan: Plan, source: SourceSettings | None) -> None:
    for step in plan.steps:
        for statement in session.dialect.statements(step.action, source):
            session.query(statement)


def _wait(session: Session, patience: Patience, *, settle: float) -> tuple[ServerStatus, str | None]:
    begin = patience.clock()
    working_since: float | None = None
    while True:
        status = session.dialect.read_status(session)
        state, reason = progress(status)
        now = patience.clock()
        if state is Progress.FAILED:
            return status, reason
        if state is Progress.WORKING:
            working_since = now if working_since is None else working_since
            if now - working_since >= settle:
                return status, None
        else:
            working_since = None
            if now - begin >= patience.timeout:
                return status, f"{reason} (waited {patience.timeout:g} s)"
        patience.sleep(_PAUSE_SECONDS)


__all__ = ("Outcome", "Patience", "Progress", "make_primary", "make_replica", "progress")
