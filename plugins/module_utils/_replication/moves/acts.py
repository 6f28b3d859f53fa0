# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""How each act of a move is done to a server."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from dataclasses import dataclass, field

from .. import semi_sync
from ..convergence import Progress, progress
from ..errors import ReplicationFailedError
from ..session import Statement
from ..steps import Action
from .commits import Commits
from .pulse import let_beat
from .record import recording
from .steps import Act
from .transactions import close_writes, cut, cut_clients, read_transactions

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..session import Session
    from ..steps import SourceSettings
    from .record import MoveRecord
    from .steps import MoveStep

_PAUSE_SECONDS = 0.02
_WAIT_SECONDS = 1.0
"""How long a server is left waiting for a position before it is asked again: 0 would be for ever."""
_NEAR_SECONDS = 0.02
"""A target that catches up as fast as this is near enough for writes to be closed."""
_APPROACH_SECONDS = 2.0
"""For so long a better moment is waited for; writes are open meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the steps need to be carried out."""

    kind: str
    sources: c.Mapping[str, SourceSettings] = field(repr=False)
    commits: Commits = field(default_factory=Commits)
    database: str = "webinfra"
    """The schema of the heartbeat and of the record."""
    own_account: str = ""
    close_seconds: float = 2
    catch_up_seconds: float = 10
    check_seconds: float = 15
    transaction_seconds: float = 1
    forced: bool = False
    requested_by: str | None = None
    lost: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where an act is done: with which sessions, and what earlier acts have noted."""

    orders: Orders
    session: c.Callable[[str], Session]
    record: c.Callable[[], MoveRecord]
    clock: c.Callable[[], float]
    marks: dict[str, str] = field(default_factory=dict)


def do(step: MoveStep, stand: Stand) -> None:
    """Do it, and return when it is done."""
    session = stand.session(step.server)
    if step.act in _PLAIN:
        _run(session, session.dialect.statements(_PLAIN[step.act], None))
    else:
        _ACTS[step.act](session, step, stand)


def _mark_position(session: Session, step: MoveStep, stand: Stand) -> None:
    stand.marks[step.server] = _position(session)


def _approach(session: Session, step: MoveStep, stand: Stand) -> None:
    """Catch up again and again, until what was written meanwhile is next to nothing; a busy target is never there."""
    source = stand.session(step.source or "")
    deadline = stand.clock() + _APPROACH_SECONDS
    while True:
        began = stand.clock()
        _reach(session, _position(source), f"what {step.source} has", stand)
        if stand.clock() - began <= _NEAR_SECONDS or stand.clock() >= deadline:
            return


def _catch_up(session: Session, step: MoveStep, stand: Stand) -> None:
    _reach(session, stand.marks[step.source or ""], f"what {step.source} has", stand)


def _compare_history(session: Session, step: MoveStep, stand: Stand) -> None:
    """See that a server has everything that another one has."""
    other = stand.session(step.source or "")
    theirs = other.dialect.read_status(other).executed
    alone = theirs.subtract(session.dialect.read_status(session).executed)
    if alone:
        raise ReplicationFailedError(f"{step.source} has {alone}, and {step.server} lacks that")


def _apply_received(session: Session, _step: MoveStep, stand: Stand) -> None:
    link = session.dialect.read_status(session).link
    if link is not None:
        _reach(session, str(link.received), "what it has received", stand)


def _close_writes(session: Session, _step: MoveStep, stand: Stand) -> None:
    close_writes(session, max(1, round(stand.orders.close_seconds)))


def _follow(session: Session, step: MoveStep, stand: Stand) -> None:
    _run(session, session.dialect.statements(Action.FOLLOW, stand.orders.sources[step.source or ""]))


def _forget_source(session: Session, _step: MoveStep, _stand: Stand) -> None:
    _run(session, [Statement(session.dialect.moves.forget_source)])


def _stop_receiving(session: Session, _step: MoveStep, _stand: Stand) -> None:
    _run(session, [Statement(session.dialect.moves.receive_no_more)])


def _prepare_commits(session: Session, _step: MoveStep, stand: Stand) -> None:
    wanted = stand.orders.commits.on_primary
    if wanted is not None:
        _set_commits(session, dataclasses.replace(wanted, source_enabled=False))


def _wait_in_commits(session: Session, _step: MoveStep, stand: Stand) -> None:
    wanted = stand.orders.commits.on_primary
    if wanted is not None and wanted.source_enabled:
        # The switch is the last of them, and all that a target lacks that was prepared.
        _run(session, semi_sync.statements(session.dialect, semi_sync.JUST_LOADED, wanted)[-1:])


def _stop_waiting(session: Session, _step: MoveStep, stand: Stand) -> None:
    wanted = stand.orders.commits.on_replica
    if wanted is not None:
        _set_commits(session, wanted)


def _end_transactions(session: Session, _step: MoveStep, stand: Stand) -> None:
    found = read_transactions(session, stand.orders.transaction_seconds)
    cut(session, [transaction.connection for transaction in found])


def _cut_clients(session: Session, _step: MoveStep, stand: Stand) -> None:
    cut_clients(session, stand.orders.own_account)


def _await_replication(session: Session, step: MoveStep, stand: Stand) -> None:
    deadline = stand.clock() + stand.orders.check_seconds
    while True:
        state, reason = progress(session.dialect.read_status(session))
        if state is Progress.WORKING:
            return
        if state is Progress.FAILED or stand.clock() >= deadline:
            raise ReplicationFailedError(f"{step.server} does not follow {step.source}: {reason}")
        time.sleep(_PAUSE_SECONDS)


def _keep_heartbeat(session: Session, _step: MoveStep, stand: Stand) -> None:
    let_beat(session, stand.orders.database)


def _record(session: Session, _step: MoveStep, stand: Stand) -> None:
    _run(session, recording(stand.orders.database, stand.record()))


_PLAIN = {
    Act.OPEN_WRITES: Action.OPEN_WRITES,
    Act.STOP_REPLICATION: Action.STOP_THREADS,
    Act.START_REPLICATION: Action.START_THREADS,
}
_ACTS: t.Final[dict[Act, t.Callable[[Session, MoveStep, Stand], None]]] = {
    Act.MARK_POSITION: _mark_position,
    Act.APPROACH: _approach,
    Act.CATCH_UP: _catch_up,
    Act.END_TRANSACTIONS: _end_transactions,
    Act.CLOSE_WRITES: _close_writes,
    Act.CUT_CLIENTS: _cut_clients,
    Act.COMPARE_HISTORY: _compare_history,
    Act.STOP_RECEIVING: _stop_receiving,
    Act.APPLY_RECEIVED: _apply_received,
    Act.FOLLOW: _follow,
    Act.FOLLOW_AS_FORMER_PRIMARY: _follow,
    Act.FORGET_SOURCE: _forget_source,
    Act.PREPARE_COMMITS: _prepare_commits,
    Act.WAIT_IN_COMMITS: _wait_in_commits,
    Act.STOP_WAITING_IN_COMMITS: _stop_waiting,
    Act.AWAIT_REPLICATION: _await_replication,
    Act.KEEP_HEARTBEAT: _keep_heartbeat,
    Act.RECORD: _record,
}


def _position(session: Session) -> str:
    return str(session.query(Statement(session.dialect.read_position))[0]["position"])


def _reach(session: Session, position: str, what: str, stand: Stand) -> None:
    deadline = stand.clock() + stand.orders.catch_up_seconds
    waiting = Statement(session.dialect.wait_for_position, (position, _WAIT_SECONDS))
    while session.query(waiting)[0]["late"] != 0:
        if stand.clock() >= deadline:
            raise ReplicationFailedError(f"It has not applied {what} within {stand.orders.catch_up_seconds:g} s")


def _set_commits(session: Session, wanted: semi_sync.SemiSyncSettings) -> None:
    _run(session, semi_sync.statements(session.dialect, semi_sync.JUST_LOADED, wanted))


def _run(session: Session, statements: c.Iterable[Statement]) -> None:
    for statement in statements:
        session.query(statement)


__all__ = ("Orders", "Stand", "do")
