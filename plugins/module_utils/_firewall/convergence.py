# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Bring a firewall to where it should be, or say why not."""

from __future__ import annotations

import shlex
import typing as t

from .observation import UfwError
from .plan import cut_sessions, plan_firewall, refusal
from .rules import DeclaredRule, describe

if t.TYPE_CHECKING:
    from .plan import FirewallState, Plan
    from .sessions import Session

ARGUMENTS: dict[str, t.Any] = {
    "rules": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "from": {"type": "str"},
            "to": {"type": "str"},
            "port": {"type": "int"},
            "protocol": {"type": "str", "choices": ["tcp", "udp", "vrrp"], "default": "tcp"},
            "comment": {"type": "str", "required": True},
        },
        "required_one_of": [("from", "to")],
        "mutually_exclusive": [("from", "to")],
    },
    "outgoing": {"type": "str", "choices": ["allow", "deny"], "default": "allow"},
    "enabled": {"type": "bool", "default": True},
    "foreign_rules": {"type": "str", "choices": ["report", "remove"], "default": "report"},
    "confirm_within": {"type": "int", "default": 30},
}


class Sight(t.Protocol):
    def state(self) -> FirewallState: ...
    def sessions(self) -> tuple[Session, ...]: ...
    def interfaces(self) -> dict[str, str]: ...


class Firewall(Sight, t.Protocol):
    def installed(self) -> bool: ...
    def unconfirmed(self) -> bool: ...
    def arm(self, seconds: int) -> None: ...
    def execute(self, words: t.Sequence[str]) -> None: ...


def decide(sight: Sight, options: t.Mapping[str, t.Any]) -> Plan:
    """Plan the commands, none where the firewall is as declared; refuse what would shut out who is in."""
    declared = [_declared(rule) for rule in options["rules"]]
    plan = plan_firewall(
        sight.state(),
        declared,
        enabled=options["enabled"],
        remove_foreign=options["foreign_rules"] == "remove",
        outgoing=options["outgoing"],
    )
    sessions = sight.sessions()
    cut = cut_sessions(plan.after, sessions, sight.interfaces() if sessions else {})
    if cut:
        raise UfwError(refusal(cut))
    return plan


def _declared(options: t.Mapping[str, t.Any]) -> DeclaredRule:
    peer, direction = (options["to"], "out") if options.get("to") else (options["from"], "in")
    return DeclaredRule.from_options(peer, options["port"], options["protocol"], options["comment"], direction)


def converge(firewall: Firewall, options: t.Mapping[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """Converge; rules that nobody has confirmed yet, those of an earlier run included, go back by themselves."""
    plan = decide(firewall, options)
    seconds = options["confirm_within"]
    acting = bool(plan.commands or firewall.unconfirmed())
    if acting and not check_mode:
        _apply(firewall, plan, seconds)
    return {**result_of(plan), "unconfirmed": acting and seconds > 0}


def _apply(firewall: Firewall, plan: Plan, seconds: int) -> None:
    if not firewall.installed():
        raise UfwError("ufw is not installed on this host; install the package ufw first (the role firewall does)")
    firewall.arm(seconds)
    for words in plan.commands:
        firewall.execute(words)
    reached = firewall.state()
    if reached.settled != plan.after.settled:
        raise UfwError(
            "UFW accepted every command, and the firewall is not as declared. It is:\n"
            + "\n".join(f"  {line}" for line in reached.lines)
            + "\nbut should be:\n"
            + "\n".join(f"  {line}" for line in plan.after.lines)
            + "\nIf something else on this host writes firewall rules (firewalld, a script), let only one do it."
        )


def result_of(plan: Plan) -> dict[str, t.Any]:
    return {
        "changed": bool(plan.commands),
        "rules_added": describe(plan.added),
        "rules_removed": describe(plan.removed),
        "foreign_rules": describe(plan.after.foreign),
        "commands": [shlex.join(("ufw", *words)) for words in plan.commands],
        "unconfirmed": False,
        "diff": {
            "before_header": "firewall",
            "after_header": "firewall",
            "before": "".join(f"{line}\n" for line in plan.before.lines),
            "after": "".join(f"{line}\n" for line in plan.after.lines),
        },
    }


__all__ = ("ARGUMENTS", "converge", "decide", "result_of")
