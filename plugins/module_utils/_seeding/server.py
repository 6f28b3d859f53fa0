# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The server on the target: stopped, emptied, filled, started; each step remembered before it is taken."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t
from dataclasses import dataclass

from .._replication.errors import ConnectionFailedError
from .._replication.events import altered
from .._replication.seeding.journal import Journal, Phase
from .._replication.session import Statement
from .._sql.connection import Login, connect
from . import directory, record
from .errors import SeedingFailedError

if t.TYPE_CHECKING:
    from .._replication.session import Session

START_SECONDS = 300
"""A server that recovers a large copy takes its time."""
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The server to be seeded."""

    unit: str
    login: Login


def empty(journal: Journal, target: Target) -> None:
    """Stop the server and put its data aside."""
    record.write_journal(journal, target.unit)
    record.show_progress("putting the old data aside")
    record.systemctl("stop", target.unit)
    owner = directory.owner_of(journal.directory)
    if not os.path.isdir(journal.aside):
        directory.make(journal.aside, owner)
    directory.move_contents(journal.directory, journal.aside)


def fill(journal: Journal, target: Target) -> None:
    """Move the complete copy to where the server looks for it."""
    record.write_journal(journal, target.unit)
    staged = directory.staging(journal.directory)
    directory.move_contents(staged, journal.directory)
    directory.discard(staged)


def initialize(journal: Journal, target: Target, command: list[str]) -> None:
    """Make an empty server where the old one was."""
    record.write_journal(journal, target.unit)
    for name in os.listdir(journal.directory):
        if name != directory.WORKROOM:
            # Left by an initialization that was interrupted; the old data has been put aside before.
            subprocess.run(["rm", "-rf", "--", os.path.join(journal.directory, name)], check=True)
    done = subprocess.run([*command, f"--datadir={journal.directory}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SeedingFailedError(f"An empty server could not be made: {done.stderr[-1500:]}. Run this again to go on")


def start(target: Target) -> Session:
    """Start the server and wait until it answers."""
    record.show_progress("starting the server")
    record.systemctl("start", target.unit)
    return await_server(target)


def await_server(target: Target) -> Session:
    """Wait until the server takes logins."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect(target.login)
        except ConnectionFailedError as exc:
            if time.monotonic() >= deadline:
                raise SeedingFailedError(
                    f"{target.unit} did not come up within {START_SECONDS} s: {exc}. Run this again to go on"
                ) from exc
        time.sleep(_PAUSE_SECONDS)


def finish(journal: Journal, target: Target) -> None:
    """Forget the seeding; what was put aside stays, or goes."""
    if not journal.keep:
        directory.discard(journal.aside)
    directory.discard(directory.staging(journal.directory))
    directory.discard_workroom(journal.directory)
    record.close_journal(target.unit)


def silence_events(session: Session, statements: t.Sequence[str], *, scheduler: bool) -> None:
    """Disable the events that came with the copy: they run where the writes are, and come from there.

    The scheduler rests meanwhile: MySQL lets nobody disable an event without letting administrators' events write.
    """
    if scheduler:
        session.query(Statement("SET GLOBAL event_scheduler = OFF"))
    _disable_events(session, statements)
    if scheduler:
        session.query(Statement("SET GLOBAL event_scheduler = ON"))


def _disable_events(session: Session, statements: t.Sequence[str]) -> None:
    events = session.query(
        Statement(
            "SELECT EVENT_SCHEMA AS `schema`, EVENT_NAME AS name, DEFINER AS definer FROM information_schema.EVENTS"
            " WHERE STATUS = 'ENABLED'"
        )
    )
    if not events:
        return
    before, disable, after = statements
    for statement in (before, "SET SESSION sql_log_bin = 0"):
        session.query(Statement(statement))
    for event in events:
        session.query(altered(event["schema"], event["name"], str(event["definer"]), disable))
    for statement in ("SET SESSION sql_log_bin = 1", after):
        session.query(Statement(statement))


__all__ = (
    "START_SECONDS",
    "Phase",
    "Target",
    "await_server",
    "empty",
    "fill",
    "finish",
    "initialize",
    "silence_events",
    "start",
)
