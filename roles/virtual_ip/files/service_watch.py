# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a service on this host all the time whether it answers, and keep the verdict in a file: 0 alive, 1 dead.

A program that stays, because keepalived starts its scripts once a second at most; and a request on a new connection
each time, because a service that hangs still has its process, its port and a kernel that accepts.
"""

from __future__ import annotations

import argparse
import enum
import errno
import os
import selectors
import socket
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

_ANSWER = b"HTTP/1."


class Outcome(enum.Enum):
    """What came of a request."""

    ANSWERED = "the service answers"
    REFUSED = "nobody listens on its port"
    MISSING = "the service does not answer"


@dataclass(frozen=True)
class Service:
    host: str
    port: int
    path: str

    def ask(self, seconds: float) -> Outcome:
        """Send a request, and wait for the time until an answer begins."""
        with socket.socket() as connection, selectors.DefaultSelector() as selector:
            connection.setblocking(False)
            if connection.connect_ex((self.host, self.port)) == errno.ECONNREFUSED:
                return Outcome.REFUSED
            deadline = time.monotonic() + seconds
            selector.register(connection, selectors.EVENT_WRITE)
            try:
                if not _ready(selector, deadline):
                    return Outcome.MISSING
                connection.sendall(f"GET {self.path} HTTP/1.1\r\nHost: alive\r\nConnection: close\r\n\r\n".encode())
                selector.modify(connection, selectors.EVENT_READ)
                answered = _ready(selector, deadline) and connection.recv(64).startswith(_ANSWER)
            except ConnectionRefusedError:
                return Outcome.REFUSED
            except OSError:
                return Outcome.MISSING
            return Outcome.ANSWERED if answered else Outcome.MISSING


def _ready(selector: selectors.BaseSelector, deadline: float) -> bool:
    """Wait, and look once more in the end: what was there before this process got its turn counts."""
    return bool(selector.select(max(0.0, deadline - time.monotonic())) or selector.select(0))


class Judge:
    """Turns outcomes into a verdict, which does not change with every one of them."""

    def __init__(self, *, patience: float, refusal: float, recovery: float) -> None:
        self.alive: bool | None = None
        """None until enough is known."""
        self._patience = patience
        self._refusal = refusal
        self._recovery = recovery
        self._answered: bool | None = None
        self._since = 0.0
        """When the first of the requests began that were all answered, or all not, as the last one."""
        self._refused_since: float | None = None

    def time_left(self, begun: float) -> float:
        """Return for how long a request that begins now may be without an answer."""
        if self._answered is False and self.alive is not False:
            return max(0.0, self._since + self._patience - begun)
        return self._patience

    def hear(self, outcome: Outcome, *, begun: float, ended: float) -> bool | None:
        answered = outcome is Outcome.ANSWERED
        if outcome is not Outcome.REFUSED:
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = begun
        if answered is not self._answered:
            self._answered, self._since = answered, begun
        lasting = ended - self._since
        if answered and (self.alive is None or lasting >= self._recovery):
            self.alive = True
        elif not answered and (lasting >= self._patience or self._refused_for(ended) >= self._refusal):
            self.alive = False
        return self.alive

    def _refused_for(self, now: float) -> float:
        return 0.0 if self._refused_since is None else now - self._refused_since


def keep(path: Path, *, alive: bool) -> None:
    """Write the verdict; who reads it never sees half of it."""
    candidate = path.with_suffix(".new")
    candidate.write_text("0\n" if alive else "1\n", encoding="ascii")
    candidate.replace(path)


def tell_systemd(words: str) -> None:
    """Send a word to systemd, if it was it that started this; rule: sd_notify(3)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.sendto(words.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


def watch(service: Service, judge: Judge, path: Path, interval: float) -> t.NoReturn:
    told: bool | None = None
    while True:
        begun = time.monotonic()
        outcome = service.ask(judge.time_left(begun))
        alive = judge.hear(outcome, begun=begun, ended=time.monotonic())
        if alive is not None and alive is not told:
            keep(path, alive=alive)
            told = alive
            sys.stderr.write(f"{'Alive' if alive else 'Dead'}: {outcome.value}\n")
            tell_systemd("READY=1")
        tell_systemd("WATCHDOG=1")
        time.sleep(max(0.0, begun + interval - time.monotonic()))


def _seconds(milliseconds: str) -> float:
    return int(milliseconds) / 1000


def main() -> t.NoReturn:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--interval", type=_seconds, required=True, help="between two requests, in milliseconds")
    parser.add_argument("--patience", type=_seconds, required=True, help="without an answer, in milliseconds")
    parser.add_argument("--refusal", type=_seconds, required=True, help="of refused connections, in milliseconds")
    parser.add_argument("--recovery", type=_seconds, required=True, help="with answers after that, in milliseconds")
    parser.add_argument("verdict", type=Path)
    options = parser.parse_args()
    watch(
        Service(options.host, options.port, options.path),
        Judge(patience=options.patience, refusal=options.refusal, recovery=options.recovery),
        options.verdict,
        options.interval,
    )


if __name__ == "__main__":
    main()
