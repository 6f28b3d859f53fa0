# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""From the firewall that is to the firewall that was asked for, without a moment in which SSH is shut out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .rules import ADMITTING, DeclaredRuleError, describe

if t.TYPE_CHECKING:
    from .rules import DeclaredRule, Packet, UfwRule
    from .sessions import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What happens to a packet that no rule is about, in UFW's words."""

    incoming: str
    outgoing: str
    routed: str

    def changed_from(self, other: Policies) -> list[tuple[str, str]]:
        """Return policy and direction of what differs."""
        pairs = (
            (self.incoming, other.incoming, "incoming"),
            (self.outgoing, other.outgoing, "outgoing"),
            (self.routed, other.routed, "routed"),
        )
        return [(mine, direction) for mine, theirs, direction in pairs if mine != theirs]


WANTED_POLICIES = Policies(incoming="deny", outgoing="allow", routed="deny")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallState:
    enabled: bool
    """Whether UFW is switched on in its configuration, for now and for the next start."""
    running: bool
    """Whether its chains are in the kernel."""
    loaded: bool
    """Whether the kernel's chains hold the rules of the files."""
    ipv6: bool
    policies: Policies
    rules: tuple[UfwRule, ...]

    @property
    def settled(self) -> tuple[t.Any, ...]:
        """What must be the same when two states are to count as one; UFW's own order is not part of it."""
        return (self.enabled, self.running, self.loaded, self.policies, frozenset(self.rules))

    @property
    def foreign(self) -> tuple[UfwRule, ...]:
        return tuple(rule for rule in self.rules if not rule.ours)

    @property
    def lines(self) -> list[str]:
        """Return the state as lines for people."""
        enabled = "on" if self.enabled else "off"
        if self.enabled and not self.running:
            enabled = "on, but its chains are not in the kernel"
        elif self.enabled and not self.loaded:
            enabled = "on, but the kernel has other rules"
        policies = self.policies
        return [
            f"firewall {enabled}",
            f"default {policies.incoming} incoming, {policies.outgoing} outgoing, {policies.routed} routed",
            *describe(self.rules),
        ]

    def admits(self, packet: Packet) -> bool:
        """Tell whether a new connection gets in: the first rule that applies decides."""
        for rule in self.rules:
            if rule.family != packet.source.version:
                continue
            verdict = rule.admits(packet)
            if verdict is not None:
                return verdict
        return self.policies.incoming == "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    commands: tuple[tuple[str, ...], ...]
    """Arguments of ``ufw``, in an order in which every state on the way admits what the last one admits."""
    before: FirewallState
    after: FirewallState
    added: tuple[UfwRule, ...]
    removed: tuple[UfwRule, ...]


def plan_firewall(
    state: FirewallState,
    declared: t.Sequence[DeclaredRule],
    *,
    enabled: bool,
    remove_foreign: bool,
    outgoing: str = WANTED_POLICIES.outgoing,
) -> Plan:
    """Decide what to add first, what to switch, and what to remove last."""
    wanted = {rule.match: rule for declaration in declared for rule in declaration.rules(ipv6=state.ipv6)}
    if len(wanted) != sum(len(declaration.rules(ipv6=state.ipv6)) for declaration in declared):
        raise DeclaredRuleError(_twice(declared))
    present = {rule.match: rule for rule in state.rules}
    added = tuple(rule for match, rule in wanted.items() if present.get(match) != rule)
    removed = tuple(rule for rule in state.rules if rule.match not in wanted and (rule.ours or remove_foreign))
    # A rule that denies goes before one that allows: the one that allows may be what it was about.
    removed = tuple(sorted(removed, key=lambda rule: rule.action in ADMITTING))
    replaced = tuple(wanted.get(rule.match, rule) for rule in state.rules if rule not in removed)
    after = FirewallState(
        enabled=enabled,
        running=enabled,
        loaded=enabled,
        ipv6=state.ipv6,
        policies=replace(WANTED_POLICIES, outgoing=outgoing),
        rules=replaced + tuple(rule for rule in added if rule.match not in present),
    )
    return Plan(
        commands=_commands(state, after, declared, added, removed),
        before=state,
        after=after,
        added=added,
        removed=removed,
    )


def cut_sessions(after: FirewallState, sessions: t.Iterable[Session], interfaces: t.Mapping[str, str]) -> list[Session]:
    """Return the sessions whose owners could not come back."""
    if not after.enabled:
        return []
    return [session for session in sessions if not after.admits(session.packet(interfaces))]


def refusal(cut: t.Sequence[Session]) -> str:
    """Say which sessions would be cut, and what to do about it."""
    lines = [f"  {session.peer} to port {session.port}" for session in dict.fromkeys(_endless(cut))]
    return "\n".join(
        [
            "These SSH sessions are open, and the rules would not let them in again; nothing was changed:",
            *lines,
            "Add a rule for their addresses (for Ansible's own: the addresses of the controller), or end those that",
            "are not needed, and run again.",
        ]
    )


def _commands(
    state: FirewallState,
    after: FirewallState,
    declared: t.Sequence[DeclaredRule],
    added: t.Sequence[UfwRule],
    removed: t.Sequence[UfwRule],
) -> tuple[tuple[str, ...], ...]:
    # UFW cannot add to chains that are not there, and a start brings all files in at once.
    start = after.enabled and not (state.enabled and state.running)
    stop = state.enabled and (start or not after.enabled)
    missing = [item for item in declared if any(rule in added for rule in item.rules(ipv6=state.ipv6))]
    # Chains that run although UFW is off hold something old, and a start leaves chains alone that are there.
    stale = state.running and not (state.enabled and state.loaded)
    return (
        *((("disable",),) if stop else ()),
        *(item.words() for item in missing),
        *(("default", policy, direction) for policy, direction in after.policies.changed_from(state.policies)),
        *((("--force", "enable"),) if start else ()),
        *dict.fromkeys(_removal(rule) for rule in removed),
        *((("reload",),) if stale and after.enabled else ()),
    )


def _removal(rule: UfwRule) -> tuple[str, ...]:
    return ("--force", *(("route",) if rule.routed else ()), "delete", *rule.words())


def _twice(declared: t.Sequence[DeclaredRule]) -> str:
    seen: dict[tuple[t.Any, ...], str] = {}
    for item in declared:
        key = (item.direction, item.peer, item.port, item.protocol)
        if key in seen:
            return (
                f"rules: {item.target} {'to' if item.outgoing else 'from'} {item.peer or 'any'} is there twice "
                f"({seen[key]!r} and {item.comment!r}), and UFW keeps it once; merge the two"
            )
        seen[key] = item.comment
    return "rules: two of them are the same; merge them"


def _endless(sessions: t.Iterable[Session]) -> t.Iterator[Session]:
    """Yield sessions without the number of the peer's port, which says nothing to people."""
    for session in sessions:
        yield replace(session, peer_port=0)


__all__ = ("WANTED_POLICIES", "FirewallState", "Plan", "Policies", "cut_sessions", "plan_firewall", "refusal")
