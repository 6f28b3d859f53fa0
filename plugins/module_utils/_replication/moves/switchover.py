# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A planned move: the primary is there and gives its writes to a replica."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..steps import Refusal
from .fitness import why_broken, why_unfit, why_unfollowable
from .gathering import plan_gathering, plan_settlement, stragglers, writers
from .steps import Act, MovePlan, MoveStep, Stage, demotion, ending, preparation, promotion, turning

if t.TYPE_CHECKING:
    from ..topology import Server, Topology
    from .transactions import OpenTransaction

NOTHING_CHANGED = "Nothing was changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchoverIntent:
    """What is asked for."""

    target: str | None = None
    """Without it the best replica is taken."""
    max_lag: float = 5
    transactions: tuple[OpenTransaction, ...] = ()
    """Those that are older than allowed and were waited for in vain."""
    kill_transactions: bool = False
    force: bool = False
    """Leave replicas behind that are broken; what is wrong with the target is never overlooked."""


def plan_switchover(topology: Topology, intent: SwitchoverIntent) -> MovePlan | Refusal:
    """Plan how the writes move, or say why they stay."""
    if intent.target is not None and intent.target not in {server.name for server in topology.servers}:
        return _refused(f"{intent.target} is none of the servers", "name one of them, or none for the best one")
    taking = writers(topology)
    if len(taking) > 1:
        names = ", ".join(server.name for server in taking)
        return _refused(f"{names} all take writes", "close all but the one that the application writes to")
    if taking and _unfinished(topology, taking[0], intent.target):
        return plan_gathering(topology, taking[0])
    if taking:
        return _plan_move(topology, taking[0], intent)
    return _plan_resumption(topology, intent)


def _unfinished(topology: Topology, primary: Server, target: str | None) -> bool:
    """Tell whether the move was made already, if only in part; a replica that somebody opened is none."""
    link = primary.status.link if primary.status else None
    if target is not None:
        return target == primary.name
    return bool(stragglers(topology, primary)) and (link is None or not link.running)


def _plan_resumption(topology: Topology, intent: SwitchoverIntent) -> MovePlan | Refusal:
    """Go on where a killed run has closed the primary: as if nothing had happened, if that is still possible."""
    primary = _closed_primary(topology)
    decision = _plan_move(topology, primary, intent) if primary is not None else None
    return decision if isinstance(decision, MovePlan) else plan_settlement(topology, intent.target)


def _closed_primary(topology: Topology) -> Server | None:
    """Find the primary that a killed run has closed: all others still follow it."""
    sources = {link.endpoint: topology.source_of(link) for _server, _status, link in topology.followers}
    names = {source.name for source in sources.values() if source is not None}
    if len(names) != 1 or None in sources.values():
        return None
    found = next(source for source in sources.values() if source is not None)
    return found if found.status is not None and found.status.link is None else None


def _plan_move(topology: Topology, primary: Server, intent: SwitchoverIntent) -> MovePlan | Refusal:
    target = _chosen(topology, primary, intent)
    if isinstance(target, Refusal):
        return target
    others = [server for server in topology.servers if server not in (primary, target)]
    refusal = _refusal(primary, target, others, intent)
    if refusal is not None:
        return refusal
    following = [server.name for server in others if why_broken(server, primary) is None]
    return MovePlan(
        former=primary.name,
        primary=target.name,
        stages=(
            *_approach(primary.name, target.name),
            _closing(primary.name, target.name, kill=bool(intent.transactions)),
            *_handover(primary.name, target.name, following),
            *ending(target.name, (primary.name, *following)),
        ),
    )


def _chosen(topology: Topology, primary: Server, intent: SwitchoverIntent) -> Server | Refusal:
    candidates = [server for server in topology.servers if server is not primary]
    if intent.target is not None:
        candidates = [server for server in candidates if server.name == intent.target]
    unfit = {server.name: why_unfit(server, primary, max_lag=intent.max_lag) for server in candidates}
    fit = [server for server in candidates if unfit[server.name] is None]
    if not fit:
        reasons = "; ".join(str(reason) for reason in unfit.values()) or "there is no replica"
        whose = intent.target or "No replica"
        return _refused(
            f"{whose} is {'not ' if intent.target else ''}fit to take over: {reasons}",
            "see that replication works (replication_check tells what is wrong), then run this again",
        )
    return min(fit, key=lambda server: _distance(server, primary))


def _distance(server: Server, primary: Server) -> int:
    """Count what a server has yet to execute; the first of those at the same distance is taken."""
    if server.status is None or primary.status is None:
        return 0
    return primary.status.executed.ahead_of(server.status.executed)


def _refusal(primary: Server, target: Server, others: list[Server], intent: SwitchoverIntent) -> Refusal | None:
    if intent.transactions and not intent.kill_transactions:
        listed = "; ".join(str(transaction) for transaction in intent.transactions)
        return _refused(
            f"Transactions on {primary.name} do not end, and would be lost: {listed}",
            "wait for them, end them, or run this with kill_transactions=true",
        )
    lost = why_unfollowable(primary, target)
    if lost is not None:
        return _refused(lost, "choose another target, or seed it anew")
    broken = [why_broken(server, primary) or why_unfollowable(server, target) for server in others]
    found = "; ".join(reason for reason in broken if reason)
    if found and not intent.force:
        return _refused(
            f"Not all replicas could follow {target.name}: {found}",
            "repair them first, or leave them behind with force=true",
        )
    return None


def _approach(primary: str, target: str) -> tuple[Stage, ...]:
    near = MoveStep(target, Act.APPROACH, "the less it lacks when writes close, the shorter the gap", primary)
    return (Stage("approach", (preparation(target), near)),)


def _closing(primary: str, target: str, *, kill: bool) -> Stage:
    ending_transactions = MoveStep(primary, Act.END_TRANSACTIONS, "they do not end by themselves")
    return Stage(
        "close",
        (
            *([ending_transactions] if kill else []),
            MoveStep(primary, Act.CLOSE_WRITES, f"from here on nothing is written until {target} takes over"),
            MoveStep(primary, Act.MARK_POSITION, "all that there will ever be of this primary"),
        ),
    )


def _handover(primary: str, target: str, others: list[str]) -> tuple[Stage, ...]:
    turned = tuple(step for server in others for step in turning(server, target))
    return (
        Stage("catch up", (MoveStep(target, Act.CATCH_UP, "it must have everything", primary),)),
        Stage("hand over", (*promotion(target), *demotion(primary, target), *turned)),
    )


def _refused(reason: str, action: str) -> Refusal:
    return Refusal(f"{reason}. {NOTHING_CHANGED}. What to do: {action}")


__all__ = ("SwitchoverIntent", "plan_switchover")
