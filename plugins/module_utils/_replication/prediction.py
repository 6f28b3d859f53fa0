# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a server will be once a plan has run, for check mode, and what of it is shown in a diff."""

from __future__ import annotations

import dataclasses
import typing as t

from .semi_sync import JUST_LOADED
from .status import EngineError, Link, ServerStatus, ThreadState
from .steps import Action

if t.TYPE_CHECKING:
    from .heartbeat import Heartbeat
    from .semi_sync import SemiSyncSettings
    from .steps import Plan, SourceSettings


def predicted(
    status: ServerStatus, plan: Plan, wanted: SourceSettings | None, semi_sync: SemiSyncSettings | None = None
) -> ServerStatus:
    """Return what the server will say of itself once the plan has run."""
    for step in plan.steps:
        if step.action is Action.SET_SEMI_SYNC and semi_sync is not None:
            status = dataclasses.replace(status, semi_sync=semi_sync.applied_to(status.semi_sync or JUST_LOADED))
        else:
            status = _after(status, step.action, wanted)
    return status


def as_settings(status: ServerStatus, heartbeat: Heartbeat | None = None) -> dict[str, t.Any]:
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
        "semi_sync": {name: getattr(status.semi_sync, name) for name in _SET} if status.semi_sync else None,
        "heartbeat": heartbeat.as_settings() if heartbeat else None,
    }


_SET = ("source_enabled", "replica_enabled", "wait_after_sync", "timeout_seconds", "waits_without_replica")
"""What is set about semi-synchronous replication; the rest moves by itself."""


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
    if action is Action.LOAD_SEMI_SYNC:
        return dataclasses.replace(status, semi_sync=JUST_LOADED)
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


__all__ = ("as_settings", "predicted")
