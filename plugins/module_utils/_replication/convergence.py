# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Make a server a replica or open it as the primary: look, plan, act, and see that it works."""

from __future__ import annotations

import enum
import time
import typing as t
from dataclasses import dataclass

from . import heartbeat, semi_sync
from .advice import advice
from .errors import RefusedError
from .plan import needs_source, plan_primary, plan_replica
from .prediction import predicted
from .status import LOGIN_ERRORS, ServerStatus, ThreadState
from .steps import Action, Plan, Refusal, SourceSettings, SourceView

if t.TYPE_CHECKING:
    import collections.abc as c

    from .heartbeat import Heartbeat
    from .semi_sync import Durability, SemiSyncSettings
    from .session import Session, Statement

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
    warnings: tuple[str, ...] = ()
    heartbeat: Heartbeat | None = None
    """As it was found; the plan ensures all of it."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimarySettings:
    """What a primary is beyond being open."""

    durability: Durability | None = None
    """Nothing leaves semi-synchronous replication as it is."""
    replicas: int | None = None
    """How many are meant to follow; nothing when that is not known."""
    known_replicas: frozenset[str] | None = None
    """Where they come from; nothing when that is not known."""
    heartbeat_database: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Orders:
    """What the steps need to be carried out."""

    source: SourceSettings | None = None
    semi_sync: SemiSyncSettings | None = None
    heartbeat: Heartbeat | None = None


def make_replica(
    session: Session,
    wanted: SourceSettings,
    *,
    look_at_source: c.Callable[[], SourceView],
    patience: Patience,
    durability: Durability | None = None,
    repair: bool = False,
    password_renewed: bool = False,
    check_mode: bool = False,
) -> Outcome:
    """Make the server follow its source and wait until it really does."""
    if len(wanted.password) > session.dialect.longest_source_password:
        raise RefusedError(
            f"replication_password has {len(wanted.password)} characters, and {session.dialect.engine.value} takes at "
            f"most {session.dialect.longest_source_password} for a link: give the account a shorter one"
        )
    before = session.dialect.read_status(session)
    stored = session.dialect.stored_password_differs(session, wanted.password) if before.link else False
    differs = password_renewed if stored is None else stored
    source = look_at_source() if needs_source(before, wanted) or differs else None
    acknowledging = semi_sync.settings_of_replica() if durability else None
    plan = _accepted(
        plan_replica(
            before,
            wanted,
            source,
            password_differs=differs,
            repair=repair,
            password_renewed=password_renewed,
            semi_sync=acknowledging,
        )
    )
    if check_mode:
        return Outcome(before=before, after=predicted(before, plan, wanted, acknowledging), plan=plan)
    _run(session, before, plan, _Orders(source=wanted, semi_sync=acknowledging))
    started = any(step.action in (Action.START_THREADS, Action.RECONNECT) for step in plan.steps)
    after, failure = _wait(session, patience, settle=patience.settle if started else 0)
    return Outcome(before=before, after=after, plan=plan, failure=failure)


def make_primary(
    session: Session,
    settings: PrimarySettings | None = None,
    *,
    patience: Patience | None = None,
    check_mode: bool = False,
) -> Outcome:
    """Open the server for writes, unless it follows another one; let its commits wait if somebody acknowledges."""
    settings = settings or PrimarySettings()
    before = session.dialect.read_status(session)
    if patience is not None and not check_mode and before.link is None:
        before = _await_replica(session, before, settings, patience)
    database = settings.heartbeat_database
    found = heartbeat.read_heartbeat(session, database) if database is not None and before.link is None else None
    waiting = None
    if settings.durability is not None:
        waiting = semi_sync.settings_of_primary(settings.durability, before.semi_sync, replicas=settings.replicas)
    plan = _accepted(plan_primary(before, waiting, found))
    after = predicted(before, plan, None, waiting)
    if plan.steps and not check_mode:
        _run(session, before, plan, _Orders(semi_sync=waiting, heartbeat=found))
        after = session.dialect.read_status(session)
    warnings = (*_unprotected(before, settings, waiting), *_strangers(before, settings))
    return Outcome(before=before, after=after, plan=plan, heartbeat=found, warnings=warnings)


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


def _run(session: Session, before: ServerStatus, plan: Plan, orders: _Orders) -> None:
    for step in plan.steps:
        for statement in _statements(session, before, step.action, orders):
            session.query(statement)


def _statements(session: Session, before: ServerStatus, action: Action, orders: _Orders) -> tuple[Statement, ...]:
    if action is Action.SET_SEMI_SYNC and orders.semi_sync is not None:
        return semi_sync.statements(session.dialect, before.semi_sync or semi_sync.JUST_LOADED, orders.semi_sync)
    if action is Action.KEEP_HEARTBEAT and orders.heartbeat is not None:
        return heartbeat.statements(session.dialect, orders.heartbeat)
    return session.dialect.statements(action, orders.source)


def _await_replica(
    session: Session, status: ServerStatus, settings: PrimarySettings, patience: Patience
) -> ServerStatus:
    """Give the replicas of a primary that has come back the time to connect, before it takes writes without them.

    A new server has none yet, and one that waits already needs none to go on doing so.
    """
    deadline = patience.clock() + patience.timeout
    while (
        settings.durability is not None
        and settings.replicas
        and not status.pristine
        and status.semi_sync is not None
        and not status.semi_sync.source_enabled
        and not status.semi_sync.acknowledging_replicas
        and patience.clock() < deadline
    ):
        patience.sleep(_PAUSE_SECONDS)
        status = session.dialect.read_status(session)
    return status


def _strangers(status: ServerStatus, settings: PrimarySettings) -> c.Iterator[str]:
    """Tell of those that read along and should not: a server that has left the inventory, for example."""
    known = settings.known_replicas
    for host in () if known is None else sorted(set(status.connected_replicas) - known):
        yield (
            f"{host} replicates from here and is none of the replicas that are meant to. It was left alone. If it "
            "has left for good, stop its replication there"
        )


def _unprotected(status: ServerStatus, settings: PrimarySettings, waiting: SemiSyncSettings | None) -> c.Iterator[str]:
    if waiting is None or waiting.source_enabled or not settings.replicas or status.pristine:
        return
    yield (
        "No replica acknowledges, so commits do not wait for one, and what is written now is lost with this server. "
        "Waiting is switched on by the next run that finds a replica acknowledging: look why none follows"
    )


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


__all__ = ("Outcome", "Patience", "PrimarySettings", "Progress", "make_primary", "make_replica", "progress")
