# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Ask a server for its binary logs, and for where in them each transaction begins."""

from __future__ import annotations

import re
import typing as t

from ..session import Statement
from .own import Log, Mark

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..gtid import Gtids
    from ..session import Row, Session

_FIRST_EVENTS = 4
"""The list of what came before is one of them."""
_PAGE = 50_000
"""Large, because a server reads a log from its beginning for each page."""


def read_logs(session: Session) -> tuple[Log, ...]:
    """Ask which logs there are, the oldest first."""
    rows = session.query(Statement("SHOW BINARY LOGS"))
    return tuple(
        Log(name=row["Log_name"], size=int(row["File_size"]), before=_before(session, row["Log_name"])) for row in rows
    )


def read_marks(session: Session, log: Log) -> c.Iterator[Mark]:
    """Ask where the transactions of a log begin, a page at a time: a log can hold millions of events."""
    position = 0
    while True:
        rows = _events(session, log.name, position, _PAGE)
        yield from _marks(session, rows)
        if len(rows) < _PAGE:
            return
        position = int(rows[-1]["End_log_pos"])
        if position >= log.size:
            return


def _before(session: Session, name: str) -> Gtids:
    wanted = session.dialect.logs.history_event
    listed = [row["Info"] for row in _events(session, name, 0, _FIRST_EVENTS) if row["Event_type"] == wanted]
    return session.dialect.engine.parse_gtids(str(listed[0]).strip("[]") if listed else "")


def _events(session: Session, name: str, position: int, limit: int) -> list[Row]:
    if position:
        return session.query(Statement("SHOW BINLOG EVENTS IN %s FROM %s LIMIT %s", (name, position, limit)))
    return session.query(Statement("SHOW BINLOG EVENTS IN %s LIMIT %s", (name, limit)))


def _marks(session: Session, rows: c.Iterable[Row]) -> c.Iterator[Mark]:
    pattern = re.compile(session.dialect.logs.gtid)
    for row in rows:
        if row["Event_type"].lower() in _GTID_EVENTS and (found := pattern.search(row["Info"])):
            yield Mark(position=int(row["Pos"]), gtid=session.dialect.engine.parse_gtids(found[1]))


_GTID_EVENTS = ("gtid", "gtid_tagged")

__all__ = ("read_logs", "read_marks")
