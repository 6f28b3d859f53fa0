# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with the database servers behind an endpoint."""

from __future__ import annotations

import logging
import ssl
import threading
import time
import typing as t
from dataclasses import dataclass

import pymysql
import pymysql.err

from guest_book.troubles import DatabaseTroubleError, NotMigratedError, ReadOnlyError, UnreachableError

if t.TYPE_CHECKING:
    from guest_book.settings import Address, Settings

Result = t.TypeVar("Result")
Row = tuple[t.Any, ...]

STEP_TIMEOUT = 3.0
"""Seconds that one statement of a page may take."""
QUICK_TIMEOUT = 0.4
"""Seconds that one step of a health check may take."""
KEEP = 5.0
"""Seconds after which a connection is opened anew, so that a thread follows the router to returning replicas."""

READ_ONLY_CODES = frozenset({1290, 1792, 1836})
NOT_MIGRATED_CODES = frozenset({1049, 1146})
REFUSED_LOGIN_CODES = frozenset({1044, 1045, 1130, 1698})
FIRST_SERVER_CODE, LAST_SERVER_CODE = 1000, 1999

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dialect:
    last_write: str
    """Asks for the position of what this session has just written."""
    wait_for: str
    """Waits for a position and answers 0 when it is reached; takes the position and the seconds."""


MARIADB = Dialect(
    # The session has no position of its own when its row was there already: then all that the server wrote counts.
    last_write="SELECT IF(@@last_gtid = '', @@global.gtid_binlog_pos, @@last_gtid)",
    wait_for="SELECT MASTER_GTID_WAIT(%s, %s)",
)
MYSQL = Dialect(
    last_write="SELECT @@global.gtid_executed",
    wait_for="SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)",
)


@dataclass(frozen=True)
class Identity:
    server: str
    writable: bool


class Session(t.Protocol):
    """One server, for as long as one piece of work takes."""

    def rows(self, statement: str, *values: t.Any) -> t.Sequence[Row]: ...
    def identity(self) -> Identity: ...
    def last_write(self) -> str | None: ...
    def reached(self, position: str, seconds: float) -> bool: ...


class KeptSession(Session, t.Protocol):
    """A session that its endpoint keeps between two pieces of work."""

    @property
    def outworn(self) -> bool: ...
    def close(self) -> None: ...


class Asks(t.Protocol):
    """An endpoint."""

    def ask(self, work: t.Callable[[Session], Result]) -> Result: ...


class DriverSession:
    """A connection of PyMySQL."""

    def __init__(self, connection: pymysql.connections.Connection[t.Any]) -> None:
        self._connection = connection
        version = str(connection.get_server_info())  # type: ignore[no-untyped-call]
        self._dialect = MARIADB if "MariaDB" in version else MYSQL
        self._opened = time.monotonic()

    @property
    def outworn(self) -> bool:
        return time.monotonic() - self._opened > KEEP

    def rows(self, statement: str, *values: t.Any) -> t.Sequence[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return t.cast("t.Sequence[Row]", cursor.fetchall())

    def identity(self) -> Identity:
        ((server, read_only),) = self.rows("SELECT @@hostname, @@global.read_only")
        return Identity(server=str(server), writable=not int(read_only))

    def last_write(self) -> str | None:
        ((position,),) = self.rows(self._dialect.last_write)
        return t.cast("str | None", position)

    def reached(self, position: str, seconds: float) -> bool:
        """Wait until this server has a position; one that it cannot understand counts as not reached."""
        try:
            ((outcome,),) = self.rows(self._dialect.wait_for, position, seconds)
        except pymysql.err.MySQLError as exc:
            if not _is_answer(exc):
                raise
            return False
        return bool(outcome == 0)

    def close(self) -> None:
        # Connection.close() says goodbye first, which blocks on a server that froze.
        self._connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001


class Endpoint:
    """An address behind which the servers may change at any time."""

    def __init__(self, name: str, connect: t.Callable[[], KeptSession]) -> None:
        self._name = name
        self._connect = connect
        self._kept = threading.local()

    @classmethod
    def at(cls, name: str, address: Address, settings: Settings, *, timeout: float) -> Endpoint:
        encryption = _encryption(settings.ca_file)
        return cls(name, lambda: _connect(address, settings, encryption, timeout))

    def ask(self, work: t.Callable[[Session], Result]) -> Result:
        """Do a piece of work, and do it again on a new connection if the one kept from before was no longer good.

        Behind a kept connection may be a server that has died or has been demoted since. So work must be such that
        doing it twice is doing it once.
        """
        kept: KeptSession | None = getattr(self._kept, "session", None)
        self._kept.session = None
        if kept is not None and kept.outworn:
            kept.close()
        elif kept is not None:
            try:
                return self._run(work, kept)
            except DatabaseTroubleError:
                log.debug("A kept connection to the %s endpoint was no longer good", self._name, exc_info=True)
        return self._run(work, self._open())

    def _open(self) -> KeptSession:
        try:
            return self._connect()
        except pymysql.err.MySQLError as exc:
            raise self._trouble(exc) from exc

    def _run(self, work: t.Callable[[Session], Result], session: KeptSession) -> Result:
        try:
            result = work(session)
        except pymysql.err.MySQLError as exc:
            session.close()
            raise self._trouble(exc) from exc
        except DatabaseTroubleError:
            session.close()
            raise
        self._kept.session = session
        return result

    def _trouble(self, error: pymysql.err.MySQLError) -> DatabaseTroubleError:
        code = _code(error)
        if code in READ_ONLY_CODES:
            return ReadOnlyError(f"the server behind the {self._name} endpoint takes no writes")
        if code in NOT_MIGRATED_CODES:
            return NotMigratedError(
                f"the server behind the {self._name} endpoint lacks the guest book's table; run migrate.py"
            )
        if code in REFUSED_LOGIN_CODES:
            return DatabaseTroubleError(
                f"the server behind the {self._name} endpoint refuses the login (error {code}); "
                "check the account, its host and its password"
            )
        if _is_answer(error):
            return DatabaseTroubleError(f"the server behind the {self._name} endpoint answers with error {code}")
        return UnreachableError(f"no server answers behind the {self._name} endpoint")


def _connect(address: Address, settings: Settings, encryption: ssl.SSLContext, timeout: float) -> DriverSession:
    return DriverSession(
        pymysql.connect(
            host=address.host,
            port=address.port,
            user=settings.user,
            password=settings.password,
            database=settings.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=timeout,
            read_timeout=timeout,
            write_timeout=timeout,
            ssl=encryption,
        )
    )


def _encryption(ca_file: str) -> ssl.SSLContext:
    """Demand a certificate of our authority, of whichever server.

    The endpoint is a router on this host, and which server is behind it changes: the certificate's name cannot be
    the name that was dialled. The authority signs database servers only, so any name of its is a right one.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False
    return context


def _code(error: pymysql.err.MySQLError) -> int | None:
    code = error.args[0] if error.args else None
    return code if isinstance(code, int) else None


def _is_answer(error: pymysql.err.MySQLError) -> bool:
    """Whether a server said this, and not the driver for want of an answer."""
    code = _code(error)
    # MySQL counts on from 3000; the driver's own codes are 2000 to 2999.
    return code is not None and (FIRST_SERVER_CODE <= code <= LAST_SERVER_CODE or code > LAST_SERVER_CODE + 1000)


__all__ = ("QUICK_TIMEOUT", "STEP_TIMEOUT", "Asks", "DriverSession", "Endpoint", "Identity", "KeptSession", "Session")
