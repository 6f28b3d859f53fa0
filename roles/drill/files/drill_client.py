# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write numbered rows, read them back and look who takes writes, all the time, and write down what came of it.

Every number is tried once. Where the connection is lost while a row is on its way, nobody knows whether it is there:
that is written down as such, and the next row has the next number. So a row that is there twice was doubled by others.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import signal
import ssl
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pymysql

if t.TYPE_CHECKING:
    import collections.abc as c

_READ_ONLY_CODES = frozenset({1290, 1792, 1836})
_REPLICAS_COME_LATER = 1146
"""A replica that has not applied the table yet."""
_PAUSE_AFTER_TROUBLE = 0.01
_LOOKS_A_SECOND = 20
_STOP = threading.Event()


@dataclass(frozen=True)
class Address:
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        host, _colon, port = text.rpartition(":")
        return cls(host, int(port))


class Journal:
    """A file to which a line is added before what it says counts."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o600)

    def add(self, kind: str, subject: object, asked: float, note: object = "") -> None:
        """Add a line in one call of the system, which does not mix with those of other threads."""
        line = f"{kind} {subject} {asked:.6f} {time.monotonic():.6f} {time.time():.6f} {note}".rstrip()
        os.write(self._file, f"{line}\n".encode())


class Login:
    """How to get to a server."""

    def __init__(self, user: str, schema: str, ca_file: str, timeout: float) -> None:
        self._user = user
        self._schema = schema
        self._timeout = timeout
        self._password = os.environ["DRILL_PASSWORD"]
        # Behind the router's address may be any server, so its name cannot be told from the address.
        self._encryption = ssl.create_default_context(cafile=ca_file)
        self._encryption.check_hostname = False

    @contextlib.contextmanager
    def cursor(self, address: Address) -> c.Iterator[pymysql.cursors.Cursor]:
        limits = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), self._timeout)
        connection = pymysql.connect(
            host=address.host,
            port=address.port,
            user=self._user,
            password=self._password,
            database=self._schema,
            ssl=self._encryption,
            autocommit=True,
            **limits,
        )
        try:
            yield connection.cursor()
        finally:
            # Saying goodbye would block on a server that froze.
            connection._force_close()  # noqa: SLF001


def write(address: Address, login: Login, journal: Journal, numbers: c.Iterator[int], *, rate: float) -> None:
    """Write one row a transaction; what is answered is written down before the next one."""
    with login.cursor(address) as cursor:
        for _due in _beats(rate):
            number, asked = next(numbers), time.monotonic()
            try:
                cursor.execute("INSERT INTO written (number, at) VALUES (%s, %s)", (number, time.time()))
            except (pymysql.MySQLError, OSError) as exc:
                refused = _code(exc) in _READ_ONLY_CODES
                journal.add("refused" if refused else "unknown", number, asked, _code(exc))
                return
            journal.add("written", number, asked)


def read(address: Address, login: Login, journal: Journal, *, rate: float) -> None:
    """Read the newest row."""
    with login.cursor(address) as cursor:
        for _due in _beats(rate):
            asked = time.monotonic()
            try:
                cursor.execute("SELECT number FROM written ORDER BY id DESC LIMIT 1")
                cursor.fetchall()
            except (pymysql.MySQLError, OSError) as exc:
                journal.add("unread", "-", asked, _code(exc))
                if _code(exc) == _REPLICAS_COME_LATER:
                    continue
                return
            journal.add("read", "-", asked)


def watch(name: str, address: Address, login: Login, journal: Journal) -> None:
    """Ask one server whether it takes writes."""
    with login.cursor(address) as cursor:
        for _due in _beats(_LOOKS_A_SECOND):
            asked = time.monotonic()
            try:
                cursor.execute("SELECT @@global.read_only")
                ((closed,),) = cursor.fetchall()
            except (pymysql.MySQLError, OSError) as exc:
                journal.add("silent", name, asked, _code(exc))
                return
            journal.add("closed" if int(closed) else "open", name, asked)


def until_stopped(work: c.Callable[[], None], unreached: c.Callable[[float, object], None]) -> None:
    """Do it again, on a new connection, whenever it has ended."""
    while not _STOP.is_set():
        asked = time.monotonic()
        try:
            work()
        except (pymysql.MySQLError, OSError) as exc:
            unreached(asked, _code(exc))
        _STOP.wait(_PAUSE_AFTER_TROUBLE)


def _beats(rate: float) -> c.Iterator[float]:
    """Tell when the next one is due; what took long is not made up for."""
    due = time.monotonic()
    while not _STOP.is_set():
        yield due
        due = max(due + 1 / rate, time.monotonic())
        _STOP.wait(max(due - time.monotonic(), 0))


def _code(error: BaseException) -> object:
    code = error.args[0] if error.args else None
    return code if isinstance(code, int) else type(error).__name__


def create_table(address: Address, login: Login) -> None:
    """Make the table, without a unique key on the numbers: a row that was doubled shall be seen."""
    with login.cursor(address) as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS written (id BIGINT AUTO_INCREMENT PRIMARY KEY, number BIGINT NOT NULL,"
            " at DOUBLE NOT NULL, KEY (number))"
        )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--schema", required=True)
    parser.add_argument("--ca-file", required=True)
    parser.add_argument("--write", type=Address.parse, required=True)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--rate", type=float, default=50, help="rows that a writer writes in a second, at most")
    parser.add_argument("--read", type=Address.parse)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--reads", type=float, default=50, help="reads of a reader in a second, at most")
    parser.add_argument("--watch", action="append", default=[], help="NAME=ADDRESS:PORT of a server")
    parser.add_argument("--first-number", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=1)
    return parser.parse_args()


def threads(given: argparse.Namespace, login: Login, journal: Journal) -> c.Iterator[threading.Thread]:
    numbers = itertools.count(given.first_number)

    def endless(work: c.Callable[[], None], kind: str, subject: str) -> threading.Thread:
        def unreached(asked: float, code: object) -> None:
            journal.add(kind, subject, asked, code)

        return threading.Thread(target=until_stopped, args=(work, unreached))

    for _writer in range(given.writers):
        yield endless(lambda: write(given.write, login, journal, numbers, rate=given.rate), "refused", "0")
    for _reader in range(given.readers if given.read else 0):
        yield endless(lambda: read(given.read, login, journal, rate=given.reads), "unread", "-")
    for told in given.watch:
        name, _equals, address = told.partition("=")
        server = Address.parse(address)

        def look(name: str = name, server: Address = server) -> None:
            watch(name, server, login, journal)

        yield endless(look, "silent", name)


def main() -> None:
    given = options()
    signal.signal(signal.SIGTERM, lambda *_: _STOP.set())
    login = Login(given.user, given.schema, given.ca_file, given.timeout)
    journal = Journal(given.journal)
    create_table(given.write, login)
    running = list(threads(given, login, journal))
    for each in running:
        each.start()
    for each in running:
        each.join()
    journal.add("ended", "-", time.monotonic())


if __name__ == "__main__":
    main()
