# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""From what a server is and what it should be to the steps between: data, so that check mode can show them."""

from __future__ import annotations

import dataclasses
import enum
import typing as t
from dataclasses import dataclass

from .advice import advice
from .status import LOGIN_ERRORS, EngineError, Link, Role, ServerStatus, ThreadState

if t.TYPE_CHECKING:
    from .gtid import Gtids


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Whom a replica shall follow and how."""

    host: str
    port: int
    user: str
    password: str = dataclasses.field(repr=False)
    ca_file: str | None

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """What could be learnt from the source before following it."""

    identity: SourceIdentity | None
    reason: str | None = None
    """Why nothing could be learnt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIdentity:
    """The few things about a source that a replication account may read."""

    engine: str
    server_id: int
    server_uuid: str | None
    log_bin: bool
    gtid_enabled: bool
    executed: Gtids


class Action(enum.Enum):
    """The ways in which a server's place in the topology is changed."""

    CLOSE_WRITES = "close_writes"
    OPEN_WRITES = "open_writes"
    STOP_THREADS = "stop_threads"
    CLEAR_HISTORY = "clear_history"
    FOLLOW = "follow"
    START_THREADS = "start_threads"


@dataclass(frozen=True, slots=True)
class Step:
    """One action and why it is needed."""

    action: Action
    reason: str

    def __str__(self) -> str:
        return f"{self.action.value}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, in order; none when the server is what it should be."""

    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no plan, and what to do instead."""

    reason: str


def needs_source(status: ServerStatus, wanted: SourceSettings) -> bool:
    """Tell whether the source has to be looked at first: only a link that runs as wanted speaks for itself."""
    return status.link is None or bool(differences(status.link, wanted)) or not status.link.running


def plan_replica(
    status: ServerStatus, wanted: SourceSettings, source: SourceView | None, *, password_differs: bool, repair: bool
) -> Plan | Refusal:
    """Plan how to make a server follow this source, or say why it must not."""
    broken = None if repair else _broken(status.link, wanted)
    if broken is not None:
        return Refusal(broken)
    reasons = _reasons_to_follow(status, wanted, password_differs=password_differs)
    refusal = _refusal(status, wanted, source, would_break=bool(reasons) and _would_break(status, wanted))
    if refusal is not None:
        return refusal
    steps: list[Step] = []
    if not status.writes_closed:
        steps.append(Step(Action.CLOSE_WRITES, "a replica takes writes from its source only"))
    link = status.link
    if reasons and link is not None and not _stopped(link):
        steps.append(Step(Action.STOP_THREADS, "the source can only be changed while nothing replicates"))
    if status.pristine and status.executed:
        steps.append(Step(Action.CLEAR_HISTORY, "the server holds no data, only what its installation wrote"))
    if reasons:
        steps.append(Step(Action.FOLLOW, "; ".join(reasons)))
        steps.append(Step(Action.START_THREADS, "a changed source starts from rest"))
    elif link is not None and ThreadState.STOPPED in (link.io_thread, link.sql_thread):
        steps.append(Step(Action.START_THREADS, _why_stopped(link)))
    return Plan(tuple(steps))


def plan_primary(status: ServerStatus) -> Plan | Refusal:
    """Plan how to let a server take writes, or say why it must not."""
    if status.link is not None:
        return Refusal(
            f"It follows {status.link.endpoint}: opening it for writes would make two primaries. Nothing was changed. "
            "Promoting a replica is a failover or a switchover; if this one is to leave its source for good, "
            "stop its threads and reset them first"
        )
    if not status.log_bin or not status.gtid_enabled:
        return Refusal(_NO_HISTORY.format(who="It"))
    if status.read_only:
        return Plan((Step(Action.OPEN_WRITES, "the primary takes writes"),))
    return Plan()


def predicted(status: ServerStatus, plan: Plan, wanted: SourceSettings | None) -> ServerStatus:
    """Return what the server will say of itself once the plan has run."""
    for step in plan.steps:
        status = _after(status, step.action, wanted)
    return status


def as_settings(status: ServerStatus) -> dict[str, t.Any]:
    """Return what this module decides about a server, for a diff: nothing that moves by itself, no secret."""
    link = status.link
    return {
        "role": status.role.value,
        "read_only": status.read_only,
        "super_read_only": status.super_read_only,
        "source": link
        and {
            "host": link.host,
            "port": link.port,
            "user": link.user,
            "tls": link.tls,
            "ca_file": link.ca_file,
            "auto_position": link.auto_position,
        },
        "io_thread": _started(link.io_thread) if link else None,
        "sql_thread": _started(link.sql_thread) if link else None,
    }


def differences(link: Link, wanted: SourceSettings) -> list[str]:
    """Say what has to change about a link; empty when it is as wanted."""
    found = []
    if (link.host, link.port) != (wanted.host, wanted.port):
        found.append(f"the source is {link.endpoint}, not {wanted.endpoint}")
    if link.user != wanted.user:
        found.append(f"the source is entered as {link.user}, not as {wanted.user}")
    if not link.auto_position:
        found.append("the position is not found by GTID")
    if wanted.ca_file is None and link.tls:
        found.append("the link uses TLS, and no source_ca_file is given")
    if wanted.ca_file is not None and not (link.tls and link.tls_verified and link.ca_file == wanted.ca_file):
        found.append(f"the link does not verify the source's certificate against {wanted.ca_file}")
    return found


_NO_HISTORY = (
    "{who} keeps no GTID history: turn on log_bin, the logging of replicated changes and GTID mode in the server's "
    "configuration and restart it"
)


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


def _broken(link: Link | None, wanted: SourceSettings) -> str | None:
    """Say what is wrong with a link that was working once, and is as it should be but for that.

    Somebody may have stopped it on purpose, to keep a row that was deleted elsewhere. A link that was never connected
    is an unfinished set-up and not broken, and so is one that has to be changed anyway.
    """
    if link is None or not link.established or differences(link, wanted):
        return None
    refused = link.io_error is not None and link.io_error.code in LOGIN_ERRORS
    if ThreadState.STOPPED not in (link.io_thread, link.sql_thread) and not (
        refused and link.io_thread is not ThreadState.RUNNING
    ):
        return None
    found = _why_stopped(link) or f"the source refuses the stored login: {link.io_error}"
    error = link.sql_error or link.io_error
    remedy = f"What to do: {advice(error)}. " if error else ""
    return (
        f"Replication from {link.endpoint} was working and is broken: {found}. Nothing was changed, because it may "
        f"have been stopped on purpose. {remedy}To have it started again with the settings of the inventory: "
        "repair=true (of the site: -e replication_repair=true)"
    )


def _would_break(status: ServerStatus, wanted: SourceSettings) -> bool:
    """Tell whether a source that cannot be seen makes the change dangerous: data to bury, or a link that works."""
    if status.link is None:
        return not status.pristine
    return status.link.running or (status.link.host, status.link.port) != (wanted.host, wanted.port)


def _refusal(
    status: ServerStatus, wanted: SourceSettings, source: SourceView | None, *, would_break: bool
) -> Refusal | None:
    if status.role is Role.PRIMARY and not status.pristine:
        return Refusal(_primary_stays(status))
    if not status.log_bin or not status.gtid_enabled:
        return Refusal(_NO_HISTORY.format(who="This server"))
    if source is None:
        return None
    if source.identity is None:
        return _refusal_unseen(status, wanted, source) if would_break else None
    return _refusal_seen(status, wanted, source.identity)


def _primary_stays(status: ServerStatus) -> str:
    replicas = ", ".join(status.connected_replicas)
    followers = f" and feeds {replicas}" if replicas else ""
    return (
        f"It takes writes{followers}: it is a primary, and a primary is never demoted in passing. Nothing was changed. "
        "Name the true primary as source_host of the others, or move the role with a switchover"
    )


def _refusal_unseen(status: ServerStatus, wanted: SourceSettings, source: SourceView) -> Refusal:
    risk = (
        f"the link to {status.link.endpoint} works, and would be replaced by one that may not"
        if status.link is not None and status.link.running
        else f"the server holds data ({str(status.executed) or 'without a GTID history'}), and whether "
        f"{wanted.endpoint} has all of it is not known"
    )
    return Refusal(
        f"The source cannot be looked at with the account {wanted.user} from here: {source.reason}. Nothing was "
        f"changed, because {risk}"
    )


def _refusal_seen(status: ServerStatus, wanted: SourceSettings, source: SourceIdentity) -> Refusal | None:
    if source.engine != status.engine.value:
        return Refusal(
            f"{wanted.endpoint} runs {source.engine} and this server {status.engine.value}: "
            "GTID replication works within one engine only"
        )
    if source.server_id == status.server_id or (status.server_uuid and source.server_uuid == status.server_uuid):
        return Refusal(
            f"{wanted.endpoint} has the same identity (server_id {source.server_id}) as this server. Either "
            "source_host points to the server itself, or one is a copy of the other: give each its own server_id, "
            "and on MySQL remove auto.cnf from the copy's data directory and restart it"
        )
    if not source.log_bin or not source.gtid_enabled:
        return Refusal(_NO_HISTORY.format(who=wanted.endpoint))
    errant = None if status.pristine else status.executed.subtract(source.executed)
    if errant:
        return Refusal(
            f"It has transactions that {wanted.endpoint} lacks: {errant}. Following would bury them. Nothing was "
            "changed. Find out what they are, then carry them over by hand or seed this server anew"
        )
    return None


def _stopped(link: Link) -> bool:
    return link.io_thread is ThreadState.STOPPED and link.sql_thread is ThreadState.STOPPED


def _why_stopped(link: Link) -> str:
    stopped = [
        f"the {name} thread is stopped" + (f": {error}" if error else "")
        for name, state, error in (("IO", link.io_thread, link.io_error), ("SQL", link.sql_thread, link.sql_error))
        if state is ThreadState.STOPPED
    ]
    return "; ".join(stopped)


def _started(state: ThreadState) -> str:
    return ThreadState.STOPPED.value if state is ThreadState.STOPPED else ThreadState.RUNNING.value


def _after(status: ServerStatus, action: Action, wanted: SourceSettings | None) -> ServerStatus:
    has_super = status.super_read_only is not None
    if action is Action.CLOSE_WRITES:
        return dataclasses.replace(status, read_only=True, super_read_only=True if has_super else None)
    if action is Action.OPEN_WRITES:
        return dataclasses.replace(status, read_only=False, super_read_only=False if has_super else None)
    if action is Action.FOLLOW and wanted is not None:
        return dataclasses.replace(status, link=_link_to(status, wanted))
    if action in (Action.START_THREADS, Action.STOP_THREADS) and status.link is not None:
        state = ThreadState.RUNNING if action is Action.START_THREADS else ThreadState.STOPPED
        return dataclasses.replace(status, link=dataclasses.replace(status.link, io_thread=state, sql_thread=state))
    return status


def _link_to(status: ServerStatus, wanted: SourceSettings) -> Link:
    no_error: EngineError | None = None
    return Link(
        host=wanted.host,
        port=wanted.port,
        user=wanted.user,
        tls=wanted.ca_file is not None,
        tls_verified=wanted.ca_file is not None,
        ca_file=wanted.ca_file,
        auto_position=True,
        server_id=None,
        server_uuid=None,
        established=False,
        io_thread=ThreadState.STOPPED,
        sql_thread=ThreadState.STOPPED,
        io_error=no_error,
        sql_error=no_error,
        lag_seconds=None,
        received=status.engine.parse_gtids(""),
    )


__all__ = (
    "Action",
    "Plan",
    "Refusal",
    "SourceIdentity",
    "SourceSettings",
    "SourceView",
    "Step",
    "as_settings",
    "differences",
    "needs_source",
    "plan_primary",
    "plan_replica",
    "predicted",
)
