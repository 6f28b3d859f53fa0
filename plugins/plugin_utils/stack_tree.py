# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack as a tree of lines, for a terminal."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

GREEN, YELLOW, RED, DIM, BOLD, PLAIN = "\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    name: str
    address: str
    facts: tuple[str, ...]
    good: bool = True
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    title: str
    leaves: tuple[Leaf, ...]


def stack_tiers(
    hosts: t.Sequence[t.Mapping[str, t.Any]],
    *,
    provider: str,
    engine: str,
    release: str,
    shares: t.Mapping[str, int],
    overrides: t.Mapping[str, t.Mapping[str, t.Any]],
    shared_address: str,
    holders: t.Collection[str],
    replication: t.Mapping[str, t.Any],
) -> list[Tier]:
    """Put what verify saw on the hosts that it saw it on."""

    def tier(title: str, group: str, describe: t.Callable[[t.Mapping[str, t.Any]], Leaf]) -> Tier:
        return Tier(title=title, leaves=tuple(describe(host) for host in hosts if group in host["groups"]))

    def balancer(host: t.Mapping[str, t.Any]) -> Leaf:
        shared = (f"has {shared_address}" if host["name"] in holders else "stands by",) if shared_address else ()
        return Leaf(name=host["name"], address=host["address"], facts=(provider, *shared))

    def server(host: t.Mapping[str, t.Any]) -> Leaf:
        role = "backup" if host["backup"] else f"weight {host['weight']}"
        facts = (role, f"release {release}", f"{shares.get(host['name'], 0)} of {sum(shares.values())} requests")
        override = overrides.get(host["name"])
        remarks = (told(override),) if override else ()
        return Leaf(name=host["name"], address=host["address"], facts=(*facts, *remarks), good=not remarks)

    def database(host: t.Mapping[str, t.Any]) -> Leaf:
        name, primary = host["name"], replication.get("primary")
        delay = replication.get("canary", {}).get("seconds", {}).get(name)
        facts: tuple[str, ...]
        if not replication:
            facts, good = ("not asked in this run",), True
        elif name == primary:
            facts, good = ("primary", "takes writes"), True
        elif name in replication.get("replicas", []):
            seen = f"a row arrived after {delay * 1000:.0f} ms" if delay is not None else "follows"
            facts, good = (f"replica of {primary}", seen), True
        else:
            facts, good = ("neither primary nor replica",), False
        return Leaf(name=name, address=host["address"], facts=facts, good=good)

    return [
        tier("load balancers", "load_balancers", balancer),
        tier("web servers", "web_servers", server),
        tier(f"databases, {engine}", "db_servers", database),
        tier("monitoring", "monitoring", lambda host: Leaf(name=host["name"], address=host["address"], facts=())),
    ]


def told(override: t.Mapping[str, t.Any]) -> str:
    """Say what was set for a server at run time, so that nobody forgets it."""
    what = override["state"] if override["weight"] is None else f"{override['state']} with weight {override['weight']}"
    by = f" by {override['requested_by']}" if override.get("requested_by") else ""
    why = f": {override['reason']}" if override.get("reason") else ""
    return f"{what} since {override['since']}{by}{why}"


def tree_lines(url: str, tiers: t.Sequence[Tier], *, colour: bool) -> list[str]:
    """Draw the tree; tiers without hosts are left out."""

    def paint(text: str, code: str) -> str:
        return f"{code}{text}{PLAIN}" if colour else text

    shown = [tier for tier in tiers if tier.leaves]
    leaves = [leaf for tier in shown for leaf in tier.leaves]
    name_width = max((len(leaf.name) for leaf in leaves), default=0)
    address_width = max((len(leaf.address) for leaf in leaves), default=0)
    lines = [paint(url, BOLD)]
    for tier in shown:
        last_tier = tier is shown[-1]
        lines.append(f"{'└─' if last_tier else '├─'} {paint(tier.title, BOLD)}")
        for leaf in tier.leaves:
            trunk = "   " if last_tier else "│  "
            branch = "└─" if leaf is tier.leaves[-1] else "├─"
            mark = paint("●", RED if leaf.broken else GREEN if leaf.good else YELLOW)
            address = paint(leaf.address.ljust(address_width), DIM)
            lines.append(
                f"{trunk}{branch} {mark} {leaf.name.ljust(name_width)}  {address}  {', '.join(leaf.facts)}".rstrip()
            )
    return lines


__all__ = ("Leaf", "Tier", "stack_tiers", "told", "tree_lines")
