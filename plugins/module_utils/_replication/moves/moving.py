# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Move the primary: look, plan, act, and when that fails go back to servers of which one takes writes."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from dataclasses import dataclass

from ..errors import OneSidedViewError, RefusedError
from ..steps import Refusal
from .commits import commits_after
from .conductor import Conductor, Fleet
from .failover import Doubt, FailoverIntent, PastMove, plan_failover
from .gathering import writers
from .loss import judge_loss
from .outcome import Moved, failure_of, words_of
from .record import read_last_move
from .roles import roles, roles_after
from .rollback import plan_rollback
from .steps import Act, MovePlan, MoveStep, Stage
from .switchover import SwitchoverIntent, plan_switchover
from .transactions import OpenTransaction, read_transactions

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..semi_sync import Durability
    from ..steps import SourceSettings, SourceView
    from ..topology import Server, Topology
    from .acts import Orders
    from .conductor import LogEntry
    from .loss import Loss

_PAUSE_SECONDS = 0.1


class Servers(Fleet, t.Protocol):
    """All servers: what they say, and the sessions to them."""

    def read(self, gone: c.Sequence[Server] = ()) -> Topology:
        """Ask all servers at once, but for those that are known to be gone: that takes time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what may still come right, and by which clock."""

    transaction_timeout: float = 10
    """For transactions to end, before a switchover."""
    gone_timeout: float = 15
    """For the replicas to notice that their source is gone."""
    silence_seconds: float = 3
    """A replica that receives nothing for so long does not hear its source, whatever its thread says."""
    tries: int = 2
    """How many looks in a row must show the same."""
    clock: c.Callable[[], float] = time.monotonic
    sleep: c.Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what a move is made."""

    servers: Servers
    orders: Orders
    durability: Durability | None
    look_at_source: c.Callable[[SourceSettings], SourceView]
    patience: Patience
    check_mode: bool


def switch_over(intent: SwitchoverIntent, means: Means) -> Moved:
    """Let a replica take over from a primary that is there."""
    topology = means.servers.read()
    intent = _with_transactions(topology, intent, means)
    plan = _accepted(plan_switchover(topology, intent), topology)
    if not plan.stages:
        return _unchanged(topology, plan)
    _insist_on_login(plan, means)
    if means.check_mode:
        return _predicted(topology, plan)
    commits = commits_after(topology, plan, means.durability)
    return _carry_out(topology, plan, means, dataclasses.replace(means.orders, commits=commits))


def fail_over(intent: FailoverIntent, means: Means) -> Moved:
    """Let a replica take over from a primary that is gone."""
    topology, intent, plan = _certain(intent, means)
    if not plan.stages:
        return _unchanged(topology, plan)
    _insist_on_login(plan, means)
    if means.check_mode:
        return dataclasses.replace(_predicted(topology, plan), loss=_loss_so_far(topology, plan))
    if plan.former is None:
        loss = _loss_so_far(topology, plan)
        orders = dataclasses.replace(means.orders, lost=loss.reason if loss else None)
        return dataclasses.replace(_carry_out(topology, plan, means, orders), loss=loss)
    return _promote(topology, plan, intent, means)


def _promote(topology: Topology, plan: MovePlan, intent: FailoverIntent, means: Means) -> Moved:
    """Freeze what has been received, then look again: only now is it certain who has the most."""
    freezing = Conductor(means.servers, means.orders, plan, means.patience.clock)
    problems = freezing.run(plan.stages[0])
    frozen = means.servers.read(topology.unreachable)
    vanished = {server.name for server in frozen.unreachable} - {server.name for server in topology.unreachable}
    decision = plan_failover(frozen, dataclasses.replace(intent, frozen=True))
    if problems or vanished or not isinstance(decision, MovePlan) or decision.former is None:
        _thaw(freezing, plan, means)
        reason = decision.reason if isinstance(decision, Refusal | Doubt) else ""
        told = [
            *(words_of(entry) for entry in problems),
            *(f"{name} does not answer any more" for name in vanished),
            reason,
        ]
        raise RefusedError(
            f"The failover was called off, and the replicas receive again: {'; '.join(filter(None, told))}. "
            "What to do: run it again"
        )
    loss = judge_loss(frozen, decision.former)
    commits = commits_after(frozen, decision, means.durability)
    orders = dataclasses.replace(means.orders, commits=commits, lost=loss.reason)
    moved = _carry_out(topology, decision, means, orders, earlier=freezing.log)
    if moved.failure is not None and not moved.opened:
        _thaw(freezing, plan, means)
    return dataclasses.replace(moved, loss=loss)


def _loss_so_far(topology: Topology, plan: MovePlan) -> Loss | None:
    if plan.former is not None:
        return judge_loss(topology, plan.former)
    return judge_loss(topology, plan.predecessor, successor=plan.primary) if plan.predecessor else None


def _thaw(freezing: Conductor, plan: MovePlan, means: Means) -> None:
    replicas = [step.server for step in freezing.tried if step.act is Act.STOP_RECEIVING]
    starting = tuple(MoveStep(name, Act.START_REPLICATION, "the failover was called off") for name in replicas)
    if starting:
        Conductor(means.servers, means.orders, plan, means.patience.clock).run(Stage("thaw", starting))


def _certain(intent: FailoverIntent, means: Means) -> tuple[Topology, FailoverIntent, MovePlan]:
    """Look until as many looks in a row as are asked for agree, or nobody can doubt it any more."""
    patience = means.patience
    deadline = patience.clock() + patience.gone_timeout
    agreeing = 0
    watch = Watch(patience.silence_seconds, patience.clock)
    while True:
        topology = means.servers.read()
        intent = dataclasses.replace(intent, last=_last_move(topology, means), silent=watch.look(topology))
        decision = plan_failover(topology, intent)
        if isinstance(decision, Refusal):
            raise _refusal(decision.reason, topology, forced=intent.force)
        if isinstance(decision, MovePlan):
            agreeing += 1
            if agreeing >= patience.tries or decision.former is None:
                return topology, intent, decision
        else:
            agreeing = 0
            if patience.clock() >= deadline:
                reason = (
                    f"{decision.reason} (asked for {patience.gone_timeout:g} s). Nothing was changed. What to do: look "
                    "at the network; force=true if you know that it is gone"
                )
                raise _refusal(reason, topology, forced=intent.force)
        patience.sleep(_PAUSE_SECONDS)


class Watch:
    """Sees which replicas receive something, by its own clock: theirs may be wrong, and they may be late."""

    def __init__(self, silence_seconds: float, clock: c.Callable[[], float]) -> None:
        self._silence_seconds = silence_seconds
        self._clock = clock
        self._seen: dict[str, tuple[str, float]] = {}

    def look(self, topology: Topology) -> frozenset[str]:
        """Return the replicas that have received nothing for long enough."""
        now = self._clock()
        for server, _status, link in topology.followers:
            received = str(link.received)
            if self._seen.get(server.name, ("", 0.0))[0] != received:
                self._seen[server.name] = (received, now)
        return frozenset(name for name, (_, since) in self._seen.items() if now - since >= self._silence_seconds)


def _last_move(topology: Topology, means: Means) -> PastMove | None:
    """Ask every server: one that was away knows only older moves."""
    found = [
        move
        for server, _status in topology.answering
        if (move := read_last_move(means.servers.session(server.name), means.orders.database)) is not None
    ]
    return min(found, key=lambda move: move.seconds_ago, default=None)


def _carry_out(
    topology: Topology, plan: MovePlan, means: Means, orders: Orders, *, earlier: c.Sequence[LogEntry] = ()
) -> Moved:
    conductor = Conductor(means.servers, orders, plan, means.patience.clock)
    conductor.log.extend(earlier)
    began = conductor.log[0].began if earlier else means.patience.clock()
    failed: set[str] = set()
    problems: list[LogEntry] = []
    rollback: tuple[Stage, ...] | None = None
    for stage in plan.stages:
        left = Stage(stage.name, tuple(step for step in stage.steps if step.server not in failed))
        found = conductor.run(left)
        problems += found
        failed.update(entry.step.server for entry in found)
        if found and not _opened(conductor, plan):
            rollback = plan_rollback(plan, conductor.tried, conductor.done)
            break
    complaints = _roll_back(conductor, rollback) if rollback else []
    after = roles(means.servers.read(topology.unreachable))
    return Moved(
        plan=plan,
        before=roles(topology),
        after=after,
        began=began,
        log=tuple(conductor.log),
        writes_closed_ms=conductor.writes_closed_ms,
        failure=failure_of(plan, problems, rollback, complaints),
        opened=_opened(conductor, plan),
        rolled_back=rollback is not None and not complaints,
        warning=orders.commits.warning,
    )


def _opened(conductor: Conductor, plan: MovePlan) -> bool:
    promoting = any(step.act is Act.OPEN_WRITES for step in plan.steps)
    return not promoting or any(step.act is Act.OPEN_WRITES for step in conductor.done)


def _roll_back(conductor: Conductor, stages: tuple[Stage, ...]) -> list[LogEntry]:
    """Go back; when the new primary cannot be closed for certain, the old one must not be opened."""
    for stage in stages:
        problems = conductor.run(stage)
        if problems:
            return problems
    return []


def _accepted(decision: MovePlan | Refusal, topology: Topology) -> MovePlan:
    if isinstance(decision, Refusal):
        raise _refusal(decision.reason, topology)
    return decision


def _refusal(reason: str, topology: Topology, *, forced: bool = False) -> RefusedError:
    """Tell a refusal from one by somebody who is cut off; who forces it has chosen the host to look from."""
    few = 2 * len(topology.answering) < len(topology.servers) and not forced
    one_sided = bool(topology.unreachable) and (few or not topology.followers)
    return OneSidedViewError(reason) if one_sided else RefusedError(reason)


def _with_transactions(topology: Topology, intent: SwitchoverIntent, means: Means) -> SwitchoverIntent:
    """Wait until the transactions on the primary that are older than allowed have ended."""
    taking = writers(topology)
    if len(taking) != 1:
        return intent
    deadline = means.patience.clock() + means.patience.transaction_timeout
    session = means.servers.session(taking[0].name)
    while True:
        found: tuple[OpenTransaction, ...] = read_transactions(session, means.orders.transaction_seconds)
        if not found or means.check_mode or means.patience.clock() >= deadline:
            return dataclasses.replace(intent, transactions=found)
        means.patience.sleep(_PAUSE_SECONDS)


def _insist_on_login(plan: MovePlan, means: Means) -> None:
    """See that the others will get in where they are sent: afterwards it would be too late."""
    if not any(step.source == plan.primary for step in plan.steps):
        return
    source = means.orders.sources[plan.primary]
    view = means.look_at_source(source)
    if view.identity is None:
        raise RefusedError(
            f"{plan.primary} cannot be looked at with the account {source.user}, by which the others are to follow it: "
            f"{view.reason}. Nothing was changed"
        )


def _unchanged(topology: Topology, plan: MovePlan) -> Moved:
    return Moved(plan=plan, before=roles(topology), after=roles(topology))


def _predicted(topology: Topology, plan: MovePlan) -> Moved:
    return Moved(plan=plan, before=roles(topology), after=roles_after(topology, plan))


__all__ = ("Means", "Patience", "Servers", "fail_over", "switch_over")
