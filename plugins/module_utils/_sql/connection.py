# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Connections to database servers; the only file that knows the driver."""

from __future__ import annotations

import contextlib
import ssl
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

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}" if self.host else str(self.unix_socket)


class SqlSession:
    """One connection, with the dialect of the server at its other end."""

    def __init__(self, connection: pymysql.connections.Connection[pymysql.cursors.DictCursor], login: Login) -> None:
        self._connection = connection
        self._login = login
        greeting: str = t.cast("t.Any", connection).server_version  # the attribute is missing in the type stubs
        self.dialect: Dialect = dialect_of(greeting)

    def query(self, statement: Statement) -> list[Row]:
        """Run a statement and return its rows."""
        try:
            with self._connection.cursor() as cursor:
                # Always with parameters, even with none: then a percent sign in the text is doubled everywhere.
                cursor.execute(statement.sql, statement.parameters)
                return list(cursor.fetchall())
        except (pymysql.MySQLError, OSError) as exc:
            raise self._translated(exc, statement) from None

    def _translated(self, exc: Exception, statement: Statement) -> Exception:
        code, message = _words(exc)
        verb = " ".join(statement.sql.split()[:3])
        if _is_timeout(exc):
            return StatementTimeoutError(
                f"{self._login.endpoint} took the statement {verb} … and did not answer within "
                f"{self._login.statement_timeout:g} s: look whether its disk is full or it waits for a lock"
            )
        if statement.secret:
            message = "the server's words are withheld, because they may quote a password"
        return StatementFailedError(code, f"{self._login.endpoint} refuses the statement {verb} …: {message} ({code})")

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        with contextlib.suppress(pymysql.MySQLError, OSError):
            self._connection.close()


def connect(login: Login) -> SqlSession:
    """Open a connection and find out which engine answers."""
    if DRIVER_PROBLEM is not None:
        raise ConnectionFailedError(f"PyMySQL is missing here ({DRIVER_PROBLEM})", "install python3-pymysql")
    try:
        connection = pymysql.connect(
            **_address(login),
            user=login.user,
            password=login.password.encode(),  # a str would be sent as Latin-1
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=login.connect_timeout,
            read_timeout=login.statement_timeout,
            write_timeout=login.statement_timeout,
            cursorclass=pymysql.cursors.DictCursor,
        )
    except (pymysql.MySQLError, OSError, RuntimeError) as exc:
        raise _connection_error(exc, login) from None
    session: SqlSession | None = None
    try:
        session = SqlSession(connection, login)
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


def _address(login: Login) -> dict[str, t.Any]:
    if not login.host:
        return {"unix_socket": login.unix_socket, "ssl_disabled": True}
    address: dict[str, t.Any] = {"host": login.host, "port": login.port}
    if login.ca_file:
        address["ssl"] = _trusting(login.ca_file)
    return address


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
