# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that ask all the time, and what came of it."""

from __future__ import annotations

import collections
import itertools
import re
import socket
import threading
import time
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import ssl

CLIENTS = 8
PAUSE = 0.02
IMPATIENT, PATIENT = 0.1, 5.0
"""Seconds. Who waits for a dead host any longer than the first measures his own patience; who wants to see that every
request is answered, however busy the machine is, needs some."""

_ENDS = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Asked(t.NamedTuple):
    ended: float
    seconds: float
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    requests: int
    failures: t.Mapping[str, int]
    """How many, by what they are called."""
    longest_gap: float
    longest_answer: float

    def __str__(self) -> str:
        gap = f"longest time without an answer {self.longest_gap * 1000:.0f} ms"
        answer = f"longest answer {self.longest_answer * 1000:.0f} ms"
        return f"{self.requests} requests, failures {dict(self.failures)}, {gap}, {answer}"


class SteadyLoad:
    """Asks while it is entered; afterwards the outcome is known.

    Each request has a connection of its own, or each client keeps one until the answer says that it ends. Nobody asks
    twice: who finds his kept connection closed has failed, and opens another one for the next request.
    """

    def __init__(
        self,
        address: str,
        path: str = "/healthz",
        patience: float = IMPATIENT,
        *,
        keeps_connections: bool = False,
        clients: int = CLIENTS,
        encryption: ssl.SSLContext | None = None,
        name: str = "load",
    ) -> None:
        self._address = address
        self._encryption = encryption
        self._name = name
        self._patience = patience
        self._keeps = keeps_connections
        ending = "" if keeps_connections else "Connection: close\r\n"
        self._request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\n{ending}\r\n".encode()
        self._stop = threading.Event()
        self._asked: list[Asked] = []
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def __enter__(self) -> t.Self:
        self._begun = time.monotonic()
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for client in self._clients:
            client.join()
        self._finished = time.monotonic()

    @property
    def requests(self) -> int:
        return len(self._asked)

    @property
    def outcome(self) -> Outcome:
        answers = sorted(each.ended for each in self._asked if not each.failure)
        times = [self._begun, *answers, self._finished]
        return Outcome(
            requests=len(self._asked),
            failures=collections.Counter(each.failure for each in self._asked if each.failure),
            longest_gap=max(later - earlier for earlier, later in itertools.pairwise(times)),
            longest_answer=max((each.seconds for each in self._asked), default=0.0),
        )

    def failure(self) -> str:
        """Ask once; return what went wrong, and nothing when there was an answer."""
        return self._once(None)[1]

    def _ask(self) -> None:
        connection = None
        while not self._stop.wait(PAUSE):
            begun = time.monotonic()
            connection, failure = self._once(connection)
            ended = time.monotonic()
            self._asked.append(Asked(ended, ended - begun, failure))
        if connection is not None:
            connection.close()

    def _connected(self) -> socket.socket:
        if self._encryption is None:
            return socket.create_connection((self._address, 80), timeout=self._patience)
        plain = socket.create_connection((self._address, 443), timeout=self._patience)
        return self._encryption.wrap_socket(plain, server_hostname=self._name)

    def _once(self, connection: socket.socket | None) -> tuple[socket.socket | None, str]:
        """Return the connection for the next request, and what went wrong."""
        try:
            if connection is None:
                connection = self._connected()
            connection.sendall(self._request)
            head = _answer(connection)
        except OSError as exc:
            head, failure = b"", type(exc).__name__
        else:
            failure = _status_failure(head)
        if failure or not self._keeps or _ENDS.search(head):
            if connection is not None:
                connection.close()
            return None, failure
        return connection, ""


def _answer(connection: socket.socket) -> bytes:
    """Read a whole answer, whose length its head tells."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += _more(connection)
    head, body = said.split(b"\r\n\r\n", maxsplit=1)
    length = _LENGTH.search(head)
    missing = (int(length[1]) if length else 0) - len(body)
    while missing > 0:
        missing -= len(_more(connection))
    return head


def _more(connection: socket.socket) -> bytes:
    if not (read := connection.recv(4096)):
        raise ConnectionAbortedError
    return read


def _status_failure(head: bytes) -> str:
    return "" if head.startswith(b"HTTP/1.1 200 ") else head.split(b"\r\n", maxsplit=1)[0].decode()
