# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Seed a MySQL server: it clones the donor into itself, which it does only while it holds nothing of its own."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t
from dataclasses import dataclass

from .._replication.errors import DatabaseError, RefusedError
from .._replication.seeding.admission import ExistingData, Offer, why_not
from .._replication.seeding.journal import Journal, Phase
from .._replication.session import Statement
from .._sql.connection import Login, SqlSession, connect, connected
from . import directory, record, server
from .errors import SeedingFailedError

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.session import Row, Session
    from .._replication.status import ServerStatus
    from .channel import Identity
    from .server import Target

UNIT = "mysql.service"
_INITIALIZE = ["mysqld", "--initialize-insecure", "--user=mysql"]
_PLUGIN = Statement(
    "SELECT 1 AS found FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone' AND PLUGIN_STATUS = 'ACTIVE'"
)
_OPENED = ("SET GLOBAL super_read_only = OFF",)
_CLOSED = ("SET GLOBAL super_read_only = ON",)
_DISABLE_EVENTS = (*_OPENED, "DISABLE ON REPLICA", *_CLOSED)
_SIZE = Statement("SELECT SUM(FILE_SIZE) AS bytes FROM information_schema.INNODB_TABLESPACES")
_PROGRESS = Statement(
    "SELECT SUM(ESTIMATE) AS total, SUM(DATA) AS done FROM performance_schema.clone_progress"
    " WHERE STATE <> 'Not Started'"
)
_RESULT = Statement(
    "SELECT STATE AS state, ERROR_NO AS code, ERROR_MESSAGE AS message FROM performance_schema.clone_status"
)
_ABANDONED = Statement(
    "SELECT PID AS id FROM performance_schema.clone_status AS clone JOIN performance_schema.processlist AS session"
    " ON session.ID = clone.PID WHERE clone.STATE = 'In Progress'"
)
_RESTART_CODES = frozenset({0, 2006, 2013, 3707})
"""What the client hears when the cloned server restarts."""
_LONGEST_CLONE_SECONDS = 7 * 24 * 3600
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """Where the data comes from."""

    login: Login
    identity: Identity


def allow_cloning(session: Session) -> bool:
    """Load the plugin where the configuration has not; tell whether that was needed."""
    if session.query(_PLUGIN):
        return False
    locked = session.dialect.read_status(session).super_read_only
    statements = ["INSTALL PLUGIN clone SONAME 'mysql_clone.so'"]
    if locked:
        statements = [*_OPENED, *statements, *_CLOSED]  # clients feel read_only, and that stays
    for statement in statements:
        session.query(Statement(statement))
    return True


def seed(target: Target, donor: Donor, status: ServerStatus, where: str, existing: ExistingData) -> Journal:
    """Clone the donor into the server, after what it holds has been put aside."""
    offer = _offer(donor)
    refusal = why_not(status, offer, existing, free_bytes=directory.free_bytes(where))
    if refusal is not None:
        raise RefusedError(f"{refusal.reason}. Nothing was changed")
    journal = Journal(
        phase=Phase.CLONING if status.pristine else Phase.EMPTYING,
        donor=donor.login.host or "",
        directory=where,
        aside=directory.place_aside(where),
        keep=existing is ExistingData.KEEP_ASIDE and not status.pristine,
        event_scheduler=status.event_scheduler,
    )
    return resume(journal, target, donor)


def resume(journal: Journal, target: Target, donor: Donor | None) -> Journal:
    """Go on from where an interrupted run has stopped; without a donor, to an empty server that runs."""
    if journal.phase is Phase.EMPTYING:
        server.empty(journal, target)
        journal = journal.at(Phase.FILLING)
    if journal.phase is Phase.FILLING:
        server.initialize(journal, target, _INITIALIZE)
        journal = journal.at(Phase.CLONING)
    if journal.phase is Phase.CLONING:
        record.write_journal(journal, target.unit)
        if donor is None:
            server.start(target)
            return journal
        _clone(target, donor)
        journal = journal.at(Phase.FINISHING)
    record.write_journal(journal, target.unit)
    session = server.start(target)
    for statement in ("STOP REPLICA", "RESET REPLICA ALL"):
        session.query(Statement(statement))  # the link of a donor that is a replica came along
    server.silence_events(session, _DISABLE_EVENTS, scheduler=journal.event_scheduler)
    position = session.query(Statement(session.dialect.read_position))[0]["position"]
    server.finish(journal, target)
    return journal.at(Phase.FINISHING, position=" ".join(position.split()))


def _offer(donor: Donor) -> Offer:
    with connected(donor.login) as session:
        status = session.dialect.read_identity(session)
        version = session.query(Statement("SELECT @@version AS version"))[0]["version"]
        size = int(session.query(_SIZE)[0]["bytes"] or 0)
    return Offer(engine=status.engine, version=version, server_id=status.server_id, data_bytes=size)


def _clone(target: Target, donor: Donor) -> None:
    session = server.start(target)
    _end_abandoned(session)
    allow_cloning(session)
    for statement in (*_settings(donor), *map(Statement, _OPENED)):
        session.query(statement)
    _run_clone(target, donor, session)
    result = _result(target)
    if not result or result[0]["state"] != "Completed":
        words = f"{result[0]['message']} ({result[0]['code']})" if result else "it says nothing"
        raise SeedingFailedError(f"CLONE did not complete: {words}. Run this again: the server holds no data now")


def _end_abandoned(session: Session) -> None:
    """End the clone of a run that was killed: the server goes on with it, and takes no other one meanwhile."""
    for clone in session.query(_ABANDONED):
        session.query(Statement("KILL %s", (clone["id"],)))
    deadline = time.monotonic() + server.START_SECONDS
    while session.query(_ABANDONED):
        if time.monotonic() >= deadline:
            raise SeedingFailedError(
                f"A clone that an earlier run has begun does not end: restart {UNIT} and run this again"
            )
        time.sleep(_PAUSE_SECONDS)


def _result(target: Target) -> list[Row]:
    """Ask the server that has restarted with the copy; the one that goes still takes logins for a moment."""
    deadline = time.monotonic() + server.START_SECONDS
    while True:
        session = server.start(target)  # it restarts by itself where systemd looks after it
        late = time.monotonic() >= deadline
        try:
            result = session.query(_RESULT)
        except DatabaseError:
            if late:
                raise
        else:
            if late or not result or result[0]["state"] != "In Progress":
                return result
        time.sleep(_PAUSE_SECONDS)


def _settings(donor: Donor) -> c.Iterator[Statement]:
    identity = donor.identity
    yield Statement("SET GLOBAL clone_valid_donor_list = %s", (donor.login.endpoint,))
    for name, path in (("ca", identity.ca_file), ("cert", identity.certificate), ("key", identity.key)):
        yield Statement(f"SET GLOBAL clone_ssl_{name} = %s", (path,))


def _run_clone(target: Target, donor: Donor, watcher: Session) -> None:
    login = donor.login
    order = Statement(
        "CLONE INSTANCE FROM %s@%s:%s IDENTIFIED BY %s REQUIRE SSL",
        (login.user, login.host, login.port, login.password),
        secret=True,
    )
    failures: list[DatabaseError] = []

    def run() -> None:
        try:
            patient = _patient(target.login)
            try:
                patient.query(order)
            finally:
                patient.close()
        except DatabaseError as exc:
            failures.append(exc)

    cloning = threading.Thread(target=run)
    cloning.start()
    while cloning.is_alive():
        _look_on(watcher)
        cloning.join(_PAUSE_SECONDS)
    if failures and getattr(failures[0], "code", 0) not in _RESTART_CODES:
        with contextlib.suppress(DatabaseError):  # one that is gone comes back closed
            for statement in _CLOSED:
                watcher.query(Statement(statement))
        raise SeedingFailedError(f"The donor could not be cloned: {failures[0]}. Run this again when that is mended")


def _look_on(watcher: Session) -> None:
    try:
        row = watcher.query(_PROGRESS)[0]
    except DatabaseError:
        time.sleep(_PAUSE_SECONDS)  # it is restarting
        return
    record.show_progress("cloning", int(row["done"] or 0), int(row["total"] or 0))


def _patient(login: Login) -> SqlSession:
    return connect(
        Login(
            unix_socket=login.unix_socket,
            host=login.host,
            port=login.port,
            user=login.user,
            password=login.password,
            ca_file=login.ca_file,
            connect_timeout=login.connect_timeout,
            statement_timeout=_LONGEST_CLONE_SECONDS,
        )
    )


__all__ = ("UNIT", "Donor", "allow_cloning", "resume", "seed")
