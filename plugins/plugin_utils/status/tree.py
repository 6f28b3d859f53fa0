# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack for a terminal: as leaves of the tree that verify shows, and what is wrong below it."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils import stack_tree
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, Tier
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.shapes import MARK, share_to
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.words import (
    days_text,
    gap_text,
    lag_text,
    role_text,
    share_text,
)

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Host, Stack

COLOURS = {Level.WELL: stack_tree.GREEN, Level.WARNING: stack_tree.YELLOW, Level.CRITICAL: stack_tree.RED}


def tiers_of(stack: Stack) -> list[stack_tree.Tier]:
    """Put the hosts under their tiers; a host of two tiers stands under both."""
    titles = {
        Tier.LOAD_BALANCERS: f"load balancers, {stack.provider}",
        Tier.WEB_SERVERS: "web servers",
        Tier.DB_SERVERS: f"databases, {stack.engine}",
        Tier.MONITORING: "monitoring",
    }
    return [
        stack_tree.Tier(
            title=f"{title}{_mark(stack, tier)}",
            leaves=tuple(_leaf(host, tier, stack) for host in stack.of_tier(tier)),
        )
        for tier, title in titles.items()
    ]


def _mark(stack: Stack, tier: Tier) -> str:
    point = stack.single_point_of(tier)
    return f" ({MARK}: {point.host})" if point else ""


def _leaf(host: Host, tier: Tier, stack: Stack) -> stack_tree.Leaf:
    return stack_tree.Leaf(
        name=host.name,
        address=host.address,
        facts=(host.verdict, *_facts(host, tier, stack)),
        good=host.level is Level.WELL,
        broken=not host.reachable or host.level is Level.CRITICAL,
    )


def _facts(host: Host, tier: Tier, stack: Stack) -> t.Iterator[str]:
    """Yield what is worth a place on the line of a host."""
    if tier is Tier.LOAD_BALANCERS:
        for certificate in host.certificates:
            yield f"{certificate.names[0]} {days_text(certificate.days_left)}"
    if tier is Tier.WEB_SERVERS and host.server:
        yield role_text(host.server)
        if host.server.share is not None:
            yield f"{share_text(share_to(stack, host.name))} of requests"
    if tier is Tier.WEB_SERVERS and host.release:
        yield f"release {host.release}"
    link = stack.link_of(host.name) if tier is Tier.DB_SERVERS else None
    if link and host.database:
        yield from (lag_text(link.lag_seconds), gap_text(link.transactions_behind))


def remark_lines(stack: Stack, *, colour: bool) -> list[str]:
    """Say the verdict, and below it each finding with what to do."""

    def paint(text: str, code: str) -> str:
        return f"{code}{text}{stack_tree.PLAIN}" if colour else text

    lines = [paint(_flat(stack.sentence), COLOURS[stack.level] + stack_tree.BOLD)]
    for finding in stack.findings:
        mark = paint("●", COLOURS[finding.level])
        words = f"{finding.host or 'stack'}: {finding.reason}. What to do: {finding.action}"
        lines.append(f"{mark} {_flat(words)}")
    return lines


def _flat(text: str) -> str:
    """Let nothing that a host says move the cursor or change the colours of a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


__all__ = ("remark_lines", "tiers_of")
