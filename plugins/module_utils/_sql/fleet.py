# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Sessions to all servers that something is done on, each used by one thread at a time."""

from __future__ import annotations

import contextlib
import typing as t
from concurrent.futures import ThreadPoolExecutor, wait

from .._replication.errors import DatabaseError
from .._replication.topology import Topology
from .sessions import Sessions
from .survey import Survey

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.topology import Server
    from .connection import SqlSession
    from .survey import Target


class Fleet:
    """All servers of a topology."""

    def __init__(self, targets: c.Sequence[Target], heartbeat_schema: str) -> None:
        self._targets = {target.name: target for target in targets}
        self._sessions = Sessions({target.name: target.login for target in targets})
        self._pool = ThreadPoolExecutor(max_workers=max(len(targets), 1))
        self._heartbeat_schema = heartbeat_schema
        self._surveys: dict[frozenset[str], Survey] = {}

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._sessions.close()
        self._pool.shutdown()
        for survey in self._surveys.values():
            survey.__exit__(*exception)

    def read(self, gone: c.Sequence[Server] = ()) -> Topology:
        """Ask all servers but those that are known to be gone, and be ready to act on those that answer."""
        absent = {server.name: server for server in gone}
        asked = [target for name, target in self._targets.items() if name not in absent]
        survey = self._surveys.setdefault(frozenset(absent), Survey(asked, self._heartbeat_schema))
        found = {server.name: server for server in survey.read().servers}
        topology = Topology(tuple(found.get(name) or absent[name] for name in self._targets))
        self.at_once([self._opener(server.name) for server, _status in topology.answering])
        return topology

    def session(self, name: str) -> SqlSession:
        return self._sessions.to(name)

    def forget(self, name: str) -> None:
        self._sessions.forget(name)

    def at_once(self, lanes: c.Sequence[c.Callable[[], None]]) -> None:
        if len(lanes) == 1:
            lanes[0]()  # handing it to another thread would take longer than most statements
            return
        running = [self._pool.submit(lane) for lane in lanes]
        wait(running)
        for lane in running:
            lane.result()

    def _opener(self, name: str) -> c.Callable[[], None]:
        def opened() -> None:
            # Who does not let in now says so when something is to be done there.
            with contextlib.suppress(DatabaseError):
                self.session(name)

        return opened


__all__ = ("Fleet",)
