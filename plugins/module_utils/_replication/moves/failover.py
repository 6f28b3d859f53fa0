# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""An unplanned move: the primary is gone, and the replica that has received the most takes over."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..status import ThreadState
from ..steps import Refusal
from .gathering import half_open, plan_gathering, stragglers, writers
from .steps import Act, MovePlan, MoveStep, Stage, ending, preparation, promotion, turning

if t.TYPE_CHECKING:
    import collections.abc as c

    from ..status import ServerStatus
    from ..topology import Server, Topology


RECENTLY_SECONDS = 600
"""For so long the server that is gone is the one that another has replaced, and not one that was away before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMove:
    """The last move that is written down."""

    kind: str
    primary: str
    seconds_ago: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverIntent:
    """What is asked for, and what is known beyond the servers' own words."""

    target: str | None = None
    force: bool = False
    silent: frozenset[str] = frozenset()
    """Replicas that were watched for long enough and received nothing: they hear nobody, whatever their threads say."""
    frozen: bool = False
    """Whether it was decided before, and nothing is received any more: what could be doubted then is settled."""
    block_seconds: float = 600
    last: PastMove | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Somebody still hears the primary: it may be told later that it is gone."""

    reason: str


def plan_failover(topology: Topology, intent: FailoverIntent) -> MovePlan | Refusal | Doubt:
    """Plan who takes over from a primary that is gone, or say why nobody must."""
    names = {server.name for server in topology.servers}
    if intent.target is not None and intent.target not in names:
        return _refused(
            f"{intent.target} is none of the servers", "name one of them, or none for the one with the most"
        )
    taking = writers(topology)
    if len(taking) > 1:
        listed = ", ".join(server.name for server in taking)
        return _refused(f"{listed} all take writes", "close all but the one that the application writes to")
    if taking and _is_decided(topology, taking[0], intent):
        return plan_gathering(topology, taking[0])
    primary = taking[0] if taking else lost_primary(topology, forced=intent.force)
    if primary is None:
        return _refused(
            "No server takes writes, and the replicas do not agree on one that is gone",
            "bring up the missing server, or run a switchover, which opens the one that has everything",
        )
    obstacle = _obstacle(topology, primary, intent)
    if obstacle is not None and not intent.force and not intent.frozen:
        return obstacle
    return _plan_promotion(topology, primary, intent)


def lost_primary(topology: Topology, *, forced: bool = False) -> Server | None:
    """Return the one of these servers that the replicas follow; those that a killed run has turned do not count.

    A run that was killed when the new primary had fetched what only another replica had leaves the two following
    each other: then nobody points to the one that is gone any more. It is the one that cannot be asked, unless
    another server is there that follows nobody and may be it.
    """
    sources = [topology.source_of(link) for _server, _status, link in topology.followers]
    found = {source.name: source for source in sources if source is not None}
    in_circle = None not in sources and all(source.status and source.status.link for source in found.values())
    if found and in_circle:
        others = [server for server, status in topology.answering if status.link is None and not status.pristine]
        candidates = [*others, *topology.unreachable]
        if forced and not others:
            candidates = candidates[:1]
    else:
        candidates = [source for source in found.values() if not source.reachable] or list(found.values())
    return candidates[0] if len(candidates) == 1 else None


def _obstacle(topology: Topology, primary: Server, intent: FailoverIntent) -> Refusal | Doubt | None:
    """Say what an operator has to know better to go on."""
    if primary.status is not None and not _overtaken(topology, primary, primary.status):
        state = "takes writes" if not primary.status.read_only else "is up again and closed"
        return _refused(
            f"{primary.name} answers: it {state}",
            "move the writes with a switchover, or open it again with the site; force=true if it must not come back",
        )
    hearing = [
        server.name
        for server, status, link in topology.followers
        if primary.status is None and primary.is_source_of(link) and _hears(server, status, intent)
    ]
    if hearing:
        return Doubt(
            reason=f"{primary.name} cannot be asked from here ({primary.problem}), but {', '.join(hearing)} still "
            "hears it: it may be the network in between"
        )
    missing = [server.name for server in topology.unreachable if server is not primary]
    if missing:
        return _refused(
            f"{', '.join(missing)} cannot be asked either, and may have what nobody else has",
            "bring it back, or give up what it alone may have with force=true",
        )
    last = intent.last
    if last is not None and last.kind == "failover" and last.seconds_ago < intent.block_seconds:
        return _refused(
            f"The last failover, to {last.primary}, was {last.seconds_ago:.0f} s ago, and {intent.block_seconds:g} s "
            "have to pass: servers that fail one after the other have a common cause",
            "find the cause first; force=true if you have",
        )
    return None


def _is_decided(topology: Topology, primary: Server, intent: FailoverIntent) -> bool:
    """Tell whether an earlier run has chosen it, and was killed before it had done everything, or could say so."""
    meant = intent.target in {None, primary.name} and not intent.force
    return half_open(primary) or bool(stragglers(topology, primary)) or (meant and _has_replaced(topology, primary))


def _has_replaced(topology: Topology, primary: Server) -> bool:
    """Tell whether it took the writes over from the server that is gone now."""
    last = primary.status.beat_of_another if primary.status is not None else None
    present = {status.server_id for _server, status in topology.answering}
    return (
        last is not None
        and last.age_seconds < RECENTLY_SECONDS
        and last.server_id not in present
        and len(topology.unreachable) > 0
    )


def _overtaken(topology: Topology, primary: Server, status: ServerStatus) -> bool:
    """Tell whether it came back closed from a crash without what its replicas have: nobody can open it any more."""
    return status.read_only and any(_lacks(primary, server) for server, _status, _link in topology.followers)


def _hears(server: Server, status: ServerStatus, intent: FailoverIntent) -> bool:
    if status.link is None or status.link.io_thread is not ThreadState.RUNNING:
        return False
    return status.heartbeat_age_seconds is None or server.name not in intent.silent


def _plan_promotion(topology: Topology, primary: Server, intent: FailoverIntent) -> MovePlan | Refusal:
    replicas = [server for server in topology.servers if server is not primary and server.status is not None]
    unfit = {server.name: _why_unfit(server, primary, topology) for server in replicas}
    fit = [server for server in replicas if unfit[server.name] is None]
    richest = _richest(fit)
    if richest is None:
        reasons = "; ".join(str(reason) for reason in unfit.values()) or "no replica answers"
        return _refused(f"No replica is fit to take over: {reasons}", "repair one of them, then run this again")
    target = next((server for server in fit if server.name == intent.target), None)
    if intent.target is not None and target is None:
        reason = unfit.get(intent.target) or "it cannot be asked"
        return _refused(f"{intent.target} is not fit to take over: {reason}", "name another one, or none")
    chosen = target or richest
    donors = [server.name for server in fit if server is not chosen and _lacks(chosen, server)]
    others = [server.name for server in fit if server is not chosen]
    unkept = _unkept(replicas, [chosen, *(server for server in fit if server.name in donors)], unfit)
    if unkept is not None and not intent.force:
        return unkept
    return MovePlan(
        former=primary.name,
        primary=chosen.name,
        stages=(
            Stage("freeze", (*_freezing(replicas), *_fencing(primary))),
            *_gaining(chosen.name, donors),
            Stage(
                "promote", (*promotion(chosen.name), *(step for name in others for step in turning(name, chosen.name)))
            ),
            *ending(chosen.name, others),
        ),
    )


def _why_unfit(server: Server, primary: Server, topology: Topology) -> str | None:
    status = server.status
    if status is None:
        return f"{server.name} cannot be asked"
    link = status.link
    if link is None or topology.source_of(link) is None:
        return f"{server.name} is no replica of {primary.name}"
    if not status.log_bin or not status.gtid_enabled:
        return f"{server.name} keeps no complete GTID history"
    if status.unread or link.waits_for_disk:
        return f"{server.name} waits for space on its disk"
    if link.sql_error is not None:
        return f"the SQL thread of {server.name} is stopped: {link.sql_error}"
    return None


def _unkept(replicas: list[Server], keeping: list[Server], unfit: dict[str, str | None]) -> Refusal | None:
    """Refuse what would leave behind something that only a server has which can neither take over nor hand it on."""
    for server in replicas:
        status, reason = server.status, unfit[server.name]
        if status is None or reason is None or status.pristine:
            continue
        alone = status.possessed
        for other in keeping:
            if other.status is not None and other.status.engine is status.engine:
                alone = alone.subtract(other.status.possessed)
        if alone:
            return _refused(
                f"{server.name} has what none of those has that can take over ({alone}), and {reason}",
                f"repair {server.name} first, so that it can hand that on; force=true gives it up",
            )
    return None


def _richest(servers: c.Sequence[Server]) -> Server | None:
    """Elect the one that has the most; the first of those that have the same."""
    best: Server | None = None
    for server in servers:
        if best is None or (_lacks(best, server) and not _lacks(server, best)) or _further(server, best):
            best = server
    return best


def _further(server: Server, best: Server) -> bool:
    """Compare two of which each has something that the other lacks."""
    if server.status is None or best.status is None or not (_lacks(best, server) and _lacks(server, best)):
        return False
    mine, theirs = server.status.possessed, best.status.possessed
    return mine.ahead_of(theirs) > theirs.ahead_of(mine)


def _lacks(server: Server, other: Server) -> bool:
    if server.status is None or other.status is None or server.status.engine is not other.status.engine:
        return False
    return not server.status.possessed.contains(other.status.possessed)


def _freezing(replicas: list[Server]) -> tuple[MoveStep, ...]:
    steps: list[MoveStep] = []
    for server in replicas:
        status = server.status
        if status is None or status.link is None:
            continue
        if status.link.sql_thread is ThreadState.STOPPED and status.transactions_to_apply:
            steps.append(MoveStep(server.name, Act.START_REPLICATION, "it has received what it has not applied"))
        stopping = "what has been received is compared, and nothing may be added"
        steps.append(MoveStep(server.name, Act.STOP_RECEIVING, stopping))
    return tuple(steps)


def _fencing(primary: Server) -> tuple[MoveStep, ...]:
    if primary.status is None:
        return ()
    return (
        MoveStep(primary.name, Act.CLOSE_WRITES, "two servers must never take writes"),
        MoveStep(primary.name, Act.CUT_CLIENTS, "nobody goes on with it"),
    )


def _gaining(chosen: str, donors: list[str]) -> tuple[Stage, ...]:
    """Let it apply what it has received, then fetch what only others have received."""
    applying = [
        MoveStep(name, Act.APPLY_RECEIVED, "what was acknowledged must not be lost") for name in (chosen, *donors)
    ]
    stages = [Stage("apply", (preparation(chosen), *applying))]
    for donor in donors:
        marking = MoveStep(donor, Act.MARK_POSITION, f"{chosen} has to get there")
        catching_up = MoveStep(chosen, Act.CATCH_UP, f"{donor} has what it lacks", donor)
        stages += [Stage("mark", (marking,)), Stage("recover", (*turning(chosen, donor), catching_up))]
    return tuple(stages)


def _refused(reason: str, action: str) -> Refusal:
    return Refusal(f"{reason}. Nothing was changed. What to do: {action}")


__all__ = ("Doubt", "FailoverIntent", "PastMove", "lost_primary", "plan_failover")
