# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Connections to database servers; the only file that knows the driver."""

from __future__ import annotations

import contextlib
import ssl
import time
import typing as t
from dataclasses import dataclass, field

from .._replication.engines.choice import dialect_of
from .._replication.errors import (
    ConnectionFailedError,
    LoginRefusedError,
    StatementFailedError,
    StatementTimeoutError,
)
from .._replication.status import LOGIN_ERRORS

try:
    import pymysql
    import pymysql.cursors

    DRIVER_PROBLEM: str | None = None
except ImportError as exc:
    DRIVER_PROBLEM = str(exc)

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.engines.base import Dialect
    from .._replication.session import Row, Statement

_TLS_PROBLEM = 2026
_HANGING_SHARE = 0.6
"""Of the time that is left, for a statement that may hang."""
_LEAST_SECONDS = 0.05
"""Even too late, what has come already is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where a server is and how to get in."""

    unix_socket: str | None = None
    """Used when there is no host."""
    host: str | None = None
    port: int = 3306
    user: str
    password: str = field(repr=False)
    ca_file: str | None = None
    """With it the connection must be TLS and the server prove its name; without it TLS is used when offered."""
    connect_timeout: float
    statement_timeout: float
    """A server whose disk is full takes statements and never answers: nothing may wait without an end."""
    socket_encrypted: bool = False
    """TLS on the socket, too: only on a connection with TLS does a server say which certificate it shows."""

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}" if self.host else str(self.unix_socket)


class SqlSession:
    """One connection, with the dialect of the server at its other end."""

    def __init__(self, connection: pymysql.connections.Connection[pymysql.cursors.DictCursor], login: Login) -> None:
        self._connection = connection
        self._login = login
        self.deadline: float | None = None
        """By the monotonic clock, for all statements until it is set anew; each has its own limit besides."""
        greeting: str = t.cast("t.Any", connection).server_version  # the attribute is missing in the type stubs
        self.dialect: Dialect = dialect_of(greeting)

    def query(self, statement: Statement) -> list[Row]:
        """Run a statement and return its rows."""
        seconds = self._allow(statement)
        try:
            with self._connection.cursor() as cursor:
                # Always with parameters, even with none: then a percent sign in the text is doubled everywhere.
                cursor.execute(statement.sql, statement.parameters)
                return list(cursor.fetchall())
        except (pymysql.MySQLError, OSError) as exc:
            raise self._translated(exc, statement, seconds) from None

    def _allow(self, statement: Statement) -> float:
        """Tell the driver how long to wait for this answer: it has no public way to change that."""
        seconds = _seconds(self._login.statement_timeout, self.deadline)
        if statement.may_hang and self.deadline is not None:
            seconds *= _HANGING_SHARE
        t.cast("t.Any", self._connection)._read_timeout = seconds  # noqa: SLF001
        return seconds

    def _translated(self, exc: Exception, statement: Statement, seconds: float) -> Exception:
        code, message = _words(exc)
        verb = statement.verb
        if _is_timeout(exc):
            return StatementTimeoutError(
                verb,
                f"{self._login.endpoint} took the statement {verb} … and did not answer within "
                f"{seconds:.2g} s: look whether its disk is full or it waits for a lock",
            )
        if statement.secret:
            message = "the server's words are withheld, because they may quote a password"
        return StatementFailedError(code, f"{self._login.endpoint} refuses the statement {verb} …: {message} ({code})")

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        with contextlib.suppress(pymysql.MySQLError, OSError):
            self._connection.close()


def connect(login: Login, *, deadline: float | None = None) -> SqlSession:
    """Open a connection and find out which engine answers."""
    seconds = _seconds(login.statement_timeout, deadline)
    if DRIVER_PROBLEM is not None:
        raise ConnectionFailedError(f"PyMySQL is missing here ({DRIVER_PROBLEM})", "install python3-pymysql")
    try:
        connection = pymysql.connect(
            **_address(login),
            user=login.user,
            password=login.password.encode(),  # a str would be sent as Latin-1
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=_seconds(login.connect_timeout, deadline),
            read_timeout=seconds,
            write_timeout=seconds,
            cursorclass=pymysql.cursors.DictCursor,
        )
    except (pymysql.MySQLError, OSError, RuntimeError) as exc:
        raise _connection_error(exc, login) from None
    session: SqlSession | None = None
    try:
        session = SqlSession(connection, login)
        session.deadline = deadline
        _insist_on_tls(connection, login)
    except BaseException:
        with contextlib.suppress(pymysql.MySQLError, OSError):
            connection.close()
        raise
    return session


@contextlib.contextmanager
def connected(login: Login) -> c.Iterator[SqlSession]:
    """Open a connection for a block."""
    session = connect(login)
    try:
        yield session
    finally:
        session.close()


def _seconds(limit: float, deadline: float | None) -> float:
    return limit if deadline is None else max(_LEAST_SECONDS, min(limit, deadline - time.monotonic()))


def _address(login: Login) -> dict[str, t.Any]:
    if not login.host:
        encryption = {"ssl": _unverified()} if login.socket_encrypted else {"ssl_disabled": True}
        return {"unix_socket": login.unix_socket, **encryption}
    address: dict[str, t.Any] = {"host": login.host, "port": login.port}
    if login.ca_file:
        address["ssl"] = _trusting(login.ca_file)
    return address


def _unverified() -> ssl.SSLContext:
    """Encrypt without asking who it is: on the other end of a socket is this host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise ConnectionFailedError(
            f"{ca_file} cannot be read as a certificate authority: {exc}",
            "give a PEM file that exists where the module runs and that its user may read",
        ) from None
    # Python 3.13 refuses authorities without a key usage extension: the ones that MySQL makes for itself have none.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _insist_on_tls(connection: pymysql.connections.Connection[t.Any], login: Login) -> None:
    """Refuse a connection in clear: PyMySQL before 1.2 goes on without TLS when the server offers none."""
    if not (login.host and login.ca_file):
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        row = cursor.fetchone()
    if not row or not row["Value"]:
        raise ConnectionFailedError(f"{login.endpoint} offers no TLS, and ca_file demands it", "turn TLS on there")


def _connection_error(exc: Exception, login: Login) -> ConnectionFailedError:
    code, message = _words(exc)
    if code in LOGIN_ERRORS:
        return LoginRefusedError(
            f"{login.endpoint} does not let {login.user} in: {message} ({code})",
            "check the user, the password, and that the account exists for the address of this host",
        )
    if code == _TLS_PROBLEM or "certificate" in message.lower():
        return ConnectionFailedError(
            f"{login.endpoint} has no valid TLS for {login.ca_file or 'this client'}: {message}",
            "check that its certificate is signed by this authority and names the host as it is given here",
        )
    return ConnectionFailedError(
        f"{login.endpoint} cannot be reached: {message}",
        "check that the database runs there, that the address is right and that no firewall is in between",
    )


def _words(exc: Exception) -> tuple[int, str]:
    if isinstance(exc, pymysql.MySQLError) and len(exc.args) > 1 and isinstance(exc.args[0], int):
        return exc.args[0], str(exc.args[1])
    return 0, str(exc) or type(exc).__name__


def _is_timeout(exc: Exception) -> bool:
    return isinstance(exc, TimeoutError) or "timed out" in _words(exc)[1]


__all__ = ("Login", "SqlSession", "connect", "connected")
