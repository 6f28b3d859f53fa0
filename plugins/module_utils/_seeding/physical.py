# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Seed a MariaDB server: receive and prepare a copy beside it, then put that in the place of its data."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._replication.errors import RefusedError
from .._replication.seeding.admission import ExistingData, Offer, history_of, why_not
from .._replication.seeding.journal import Journal, Phase
from . import directory, mariadb, record, server
from .channel import Identity, reached

if t.TYPE_CHECKING:
    from .._replication.status import ServerStatus
    from .server import Target

_DISABLE_EVENTS = ("DO 0", "DISABLE ON SLAVE", "DO 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """Where the data comes from."""

    host: str
    port: int
    identity: Identity
    wait: float
    idle: float


def seed(target: Target, donor: Donor, status: ServerStatus, where: str, existing: ExistingData) -> Journal:
    """Receive a copy from the donor, then replace the server's data with it."""
    record.show_progress("waiting for the donor")
    try:
        journal = _receive(target, donor, status, where, existing)
    except BaseException:
        # Until here the server is as it was, and so is the disk afterwards.
        directory.discard(directory.staging(where))
        directory.discard_workroom(where)
        record.close_journal(target.unit)
        raise
    return resume(journal, target)


def resume(journal: Journal, target: Target) -> Journal:
    """Go on from where an interrupted run has stopped, the copy being complete."""
    if journal.phase is Phase.EMPTYING:
        server.empty(journal, target)
        journal = journal.at(Phase.FILLING)
    if journal.phase is Phase.FILLING:
        server.fill(journal, target)
        journal = journal.at(Phase.STARTING)
    # A server that is up without its position could be taken for a replica that has nothing yet.
    record.write_journal(journal, target.unit, starting=mariadb.with_position(journal.position))
    session = server.start(target)
    mariadb.take_history(session, journal.history)
    server.silence_events(session, _DISABLE_EVENTS, scheduler=journal.event_scheduler)
    server.finish(journal, target)
    return journal


def _receive(target: Target, donor: Donor, status: ServerStatus, where: str, existing: ExistingData) -> Journal:
    with reached(donor.host, donor.port, donor.identity, wait=donor.wait, idle=donor.idle) as channel:
        note = channel.receive_note()
        offer = Offer(**{name: note[name] for name in ("engine", "version", "server_id", "data_bytes")})
        staged = directory.staging(where)
        directory.discard(staged)  # of a run that was interrupted: it counts as free
        refusal = why_not(status, offer, existing, free_bytes=directory.free_bytes(where))
        if refusal is not None:
            raise RefusedError(f"{refusal.reason}. Nothing was changed")
        keep = existing is ExistingData.KEEP_ASIDE and not status.pristine
        journal = Journal(
            phase=Phase.RECEIVING,
            donor=donor.host,
            directory=where,
            aside=directory.place_aside(where),
            keep=keep,
            event_scheduler=status.event_scheduler,
        )
        record.write_journal(journal, target.unit)
        owner = directory.owner_of(where)
        directory.make(staged, owner)
        channel.send_note({"go": True})
        record.show_progress("receiving", 0, offer.data_bytes)
        mariadb.receive(channel, staged, offer.data_bytes)
    record.write_journal(journal.at(Phase.PREPARING), target.unit)
    record.show_progress("preparing the copy")
    mariadb.prepare(staged)
    position = mariadb.read_position(staged)
    mariadb.clear_notes(staged)
    mariadb.write_upgrade_note(staged, note["upgrade_note"])
    directory.hand_over(staged, owner)
    return journal.at(Phase.EMPTYING, position=position, history=history_of(note["executed"], position))


__all__ = ("Donor", "resume", "seed")
