# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this web server can do its work, and why not."""

from __future__ import annotations

import concurrent.futures
import logging
import typing as t
from dataclasses import dataclass

from guest_book.troubles import DatabaseTroubleError

if t.TYPE_CHECKING:
    from guest_book.database import Asks, Identity, Session

CEILING = 0.9
"""Seconds after which a health check answers with what it knows."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Health:
    write: str | None
    """The server that takes writes."""
    read: str | None
    """The server that is read from."""
    problems: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Readers can be served. A missing primary does not change that, so it must not take this server out."""
        return self.read is not None

    def as_result(self) -> dict[str, t.Any]:
        return {"ready": self.ready, "write": self.write, "read": self.read, "problems": list(self.problems)}


class HealthCheck:
    def __init__(self, *, writes: Asks, reads: Asks) -> None:
        self._writes = writes
        self._reads = reads
        self._told: Health | None = None
        self._askers = concurrent.futures.ThreadPoolExecutor(max_workers=4, thread_name_prefix="health")

    def examine(self) -> Health:
        asked = {name: self._askers.submit(endpoint.ask, _probe) for name, endpoint in self._endpoints()}
        concurrent.futures.wait(asked.values(), timeout=CEILING)
        answers = {name: _answer(name, future) for name, future in asked.items()}
        health = judge(write=answers["write"], read=answers["read"])
        self._tell(health)
        return health

    def _tell(self, health: Health) -> None:
        """Log what changed; balancers ask too often for more."""
        if health != self._told:
            log.log(
                logging.WARNING if health.problems else logging.INFO,
                "Writes go to %s, reads come from %s%s",
                health.write,
                health.read,
                "".join(f"; {problem}" for problem in health.problems),
            )
            self._told = health

    def _endpoints(self) -> tuple[tuple[str, Asks], ...]:
        return (("write", self._writes), ("read", self._reads))


def judge(*, write: Identity | str, read: Identity | str) -> Health:
    """Judge by what the endpoints answered: who they are, or what is wrong."""
    problems = [answer for answer in (write, read) if isinstance(answer, str)]
    readable = [answer.server for answer in (read, write) if not isinstance(answer, str)]
    writer = None
    if not isinstance(write, str):
        writer = write.server if write.writable else None
        if writer is None:
            problems.insert(0, f"{write.server} is behind the write endpoint and takes no writes")
    return Health(write=writer, read=readable[0] if readable else None, problems=tuple(problems))


def _probe(session: Session) -> Identity:
    # Fails where the table is missing, and reads no more than one row.
    session.rows("SELECT 1 FROM entries LIMIT 1")
    return session.identity()


def _answer(name: str, future: concurrent.futures.Future[Identity]) -> Identity | str:
    if not future.done():
        future.cancel()
        return f"the {name} endpoint did not answer within {CEILING} seconds"
    try:
        return future.result()
    except DatabaseTroubleError as exc:
        return str(exc)


__all__ = ("Health", "HealthCheck", "judge")
