# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Set a running server's variables, and have it load its certificate, without a restart."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._replication.certificate import validity_of_file, validity_of_words
from .._replication.errors import RefusedError, StatementFailedError
from .._replication.session import Statement
from .._replication.settings import Running, Setting, SettingsPlan, plan_settings, read_running
from .._replication.status import ThreadState
from .._replication.steps import Action

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.session import Session

_READ_ONLY_VARIABLE = 1238
"""The engine's answer to SET for a variable that only a start sets; MySQL says so nowhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsOutcome:
    """What was set and what waits."""

    applied: tuple[Setting, ...]
    waiting: tuple[Setting, ...]
    takes_writes: bool
    certificate_loaded: bool

    def warning(self, server: str) -> str | None:
        """Say what waits; Ansible shows equal words of several hosts once."""
        if not self.waiting:
            return None
        listed = ", ".join(f"{setting.name} ({setting.before}, not {setting.after})" for setting in self.waiting)
        return f"{server} goes on with older values until it is restarted: {listed}"

    def as_result(self) -> dict[str, t.Any]:
        return {
            "changed": bool(self.applied) or self.certificate_loaded,
            "applied": [setting.name for setting in self.applied],
            "restart_needed": [setting.name for setting in self.waiting],
            "takes_writes": self.takes_writes,
            "certificate_loaded": self.certificate_loaded,
            "diff": {
                "before": {setting.name: setting.before for setting in self.applied},
                "after": {setting.name: str(setting.after) for setting in self.applied},
            },
        }


def converge_settings(session: Session, params: c.Mapping[str, t.Any], *, check_mode: bool) -> SettingsOutcome:
    """Apply what can be applied to a running server."""
    running = read_running(session, params["settings"])
    plan = plan_settings(session.dialect, running, params["settings"])
    renewed = params["certificate_changed"] or _differs(running, params["certificate_file"])
    waiting = list(plan.restart)
    if not check_mode:
        waiting += _apply(session, plan)
        if renewed:
            session.query(Statement(session.dialect.load_certificate))
    applied = tuple(setting for setting in (*plan.at_once, *plan.at_rest) if setting not in waiting)
    return SettingsOutcome(
        applied=applied,
        waiting=tuple(waiting),
        takes_writes=running.takes_writes,
        certificate_loaded=renewed,
    )


def _apply(session: Session, plan: SettingsPlan) -> list[Setting]:
    """Set everything; return what turned out to need a restart."""
    refused = _set(session, plan.at_once)
    if not plan.at_rest:
        return refused
    link = session.dialect.read_status(session).link
    threads = {link.io_thread, link.sql_thread} if link is not None else {ThreadState.STOPPED}
    if threads == {ThreadState.STOPPED}:
        return refused + _set(session, plan.at_rest)
    if ThreadState.STOPPED in threads:
        return [*refused, *plan.at_rest]  # somebody has stopped one of them: a pause would start it again
    _run(session, Action.STOP_THREADS)
    try:
        return refused + _set(session, plan.at_rest)
    finally:
        _run(session, Action.START_THREADS)


def _set(session: Session, settings: tuple[Setting, ...]) -> list[Setting]:
    return [setting for setting in settings if not _taken(session, setting)]


def _taken(session: Session, setting: Setting) -> bool:
    try:
        session.query(setting.statement)
    except StatementFailedError as exc:
        if exc.code != _READ_ONLY_VARIABLE:
            raise
        return False
    return True


def _run(session: Session, action: Action) -> None:
    for statement in session.dialect.statements(action, None):
        session.query(statement)


def _differs(running: Running, path: str | None) -> bool:
    if path is None:
        return False
    try:
        with open(path, encoding="ascii") as stream:
            wanted = validity_of_file(stream.read())
    except (OSError, UnicodeDecodeError) as exc:
        raise RefusedError(f"The certificate {path} cannot be read: {exc}. Nothing was changed") from exc
    shown = validity_of_words(*running.certificate)
    return shown is not None and shown != wanted  # one that shows none has no TLS, which only settings change


__all__ = ("SettingsOutcome", "converge_settings")
