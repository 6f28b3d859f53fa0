# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Seed a replica, or serve as its donor: what the options of the two modules ask for, with each engine's own way."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .._replication.errors import ConnectionFailedError, RefusedError
from .._replication.seeding.admission import ExistingData
from .._replication.session import Statement
from .._replication.status import Engine, ServerStatus
from .._seeding import directory, mariadb, mysql, physical, record
from .._seeding.channel import Identity, accepted
from .._seeding.server import Target
from .._sql.connection import Login
from .login import login_of, session_for

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.seeding.journal import Journal

CHANNEL_OPTIONS: dict[str, dict[str, t.Any]] = {
    "channel_port": {"type": "int", "default": 4444},
    "channel_ca_file": {"type": "path", "default": "/etc/mysql/tls/ca.pem"},
    "channel_certificate": {"type": "path", "default": "/etc/mysql/tls/server.pem"},
    "channel_key": {"type": "path", "default": "/etc/mysql/tls/server.key", "no_log": False},
    "channel_wait": {"type": "int", "default": 60},
    "channel_idle": {"type": "int", "default": 600},
}

_UNITS = {Engine.MARIADB: mariadb.UNIT, Engine.MYSQL: mysql.UNIT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What a seeding has done, or would do."""

    resumed: bool
    donor: str
    position: str
    aside: str | None
    directory: str

    def as_result(self) -> dict[str, t.Any]:
        return {
            "changed": True,
            "resumed": self.resumed,
            "donor": self.donor,
            "position": self.position,
            "kept_aside": self.aside,
            "directory": self.directory,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """The server as it is before it is seeded."""

    status: ServerStatus
    directory: str


def serve(params: c.Mapping[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """Serve one target as its donor."""
    with session_for(params) as session:
        if session.dialect.engine is Engine.MYSQL:
            return {"changed": not check_mode and mysql.allow_cloning(session), "served": None}
        status = session.dialect.read_status(session)
        where = _directory(session.query(_DIRECTORY))
    missing = mariadb.missing_program()
    if missing:
        raise RefusedError(f"{missing} is not installed on the donor: install the package mariadb-backup")
    if check_mode:
        return {"changed": False, "served": None}
    _make_way()
    address, peer = params["address"], params["target"]
    wait, idle = params["channel_wait"], params["channel_idle"]
    with accepted(address, params["channel_port"], peer, _identity(params), wait=wait, idle=idle) as channel:
        offer = {"engine": status.engine.value, "version": status.version, "server_id": status.server_id}
        channel.send_note(
            {
                **offer,
                "executed": str(status.executed),
                "data_bytes": directory.data_bytes(where),
                "upgrade_note": mariadb.read_upgrade_note(where),
            }
        )
        channel.receive_note()
        mariadb.send(channel, params["login_unix_socket"])
    return {"changed": False, "served": peer}


def seed(params: c.Mapping[str, t.Any], *, check_mode: bool) -> Seeded | None:
    """Seed the server, or finish a seeding that was interrupted; without a donor that is all there is to do."""
    journal = record.read_journal()
    engine = Engine(params["engine"])
    target = Target(unit=_UNITS[engine], login=login_of(params))
    if journal is not None and not journal.starts_over:
        return _seeded(journal if check_mode else _resume(journal, target, params, engine), resumed=True)
    if params["donor"] is None:
        return None
    sight = _look(params, engine)
    if check_mode:
        aside = directory.place_aside(sight.directory) if not sight.status.pristine else None
        return Seeded(resumed=False, donor=params["donor"], position="", aside=aside, directory=sight.directory)
    existing = ExistingData(params["existing_data"])
    if engine is Engine.MARIADB:
        return _seeded(physical.seed(target, _donor(params), sight.status, sight.directory, existing))
    return _seeded(mysql.seed(target, _mysql_donor(params), sight.status, sight.directory, existing))


def _resume(journal: Journal, target: Target, params: c.Mapping[str, t.Any], engine: Engine) -> Journal:
    if engine is Engine.MARIADB:
        return physical.resume(journal, target)
    return mysql.resume(journal, target, _mysql_donor(params) if params["donor"] else None)


_DIRECTORY = Statement("SELECT @@datadir AS directory")


def _look(params: c.Mapping[str, t.Any], engine: Engine) -> _Sight:
    try:
        with session_for(params) as session:
            if session.dialect.engine is not engine:
                raise RefusedError(f"This server runs {session.dialect.engine.value}, not {engine.value}")
            status = session.dialect.read_status(session)
            return _Sight(status=status, directory=_directory(session.query(_DIRECTORY)))
    except ConnectionFailedError as exc:
        raise RefusedError(
            f"The server to be seeded does not run, so that nobody knows what it holds: {exc}. Nothing was changed"
        ) from exc


def _directory(rows: c.Sequence[c.Mapping[str, t.Any]]) -> str:
    return os.path.realpath(str(rows[0]["directory"]))


def _seeded(journal: Journal, *, resumed: bool = False) -> Seeded:
    return Seeded(
        resumed=resumed,
        donor=journal.donor,
        position=journal.position,
        aside=journal.aside if journal.keep else None,
        directory=journal.directory,
    )


def _identity(params: c.Mapping[str, t.Any]) -> Identity:
    return Identity(
        ca_file=params["channel_ca_file"], certificate=params["channel_certificate"], key=params["channel_key"]
    )


def _donor(params: c.Mapping[str, t.Any]) -> physical.Donor:
    return physical.Donor(
        host=params["donor"],
        port=params["channel_port"],
        identity=_identity(params),
        wait=params["channel_wait"],
        idle=params["channel_idle"],
    )


def _mysql_donor(params: c.Mapping[str, t.Any]) -> mysql.Donor:
    login = Login(
        host=params["donor"],
        port=params["donor_port"],
        user=params["donor_user"],
        password=params["donor_password"],
        ca_file=params["channel_ca_file"],
        connect_timeout=params["connect_timeout"],
        statement_timeout=params["channel_wait"],
    )
    return mysql.Donor(login=login, identity=_identity(params))


def _make_way() -> None:
    """Let the server's own work come first, in everything that this process and its children do."""
    os.nice(10)


__all__ = ("CHANNEL_OPTIONS", "Seeded", "seed", "serve")
