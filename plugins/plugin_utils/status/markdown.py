# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack as Markdown with a Mermaid graph, for an issue or a wiki."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, Tier, TrafficState
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.shapes import MARK, write_state
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.words import gap_text, lag_text, share_text

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Host, Stack

TITLES = {
    Tier.LOAD_BALANCERS: "load balancers",
    Tier.WEB_SERVERS: "web servers",
    Tier.DB_SERVERS: "databases",
    Tier.MONITORING: "monitoring",
}
_CLASSES = (
    "classDef warning stroke:#b45309,stroke-width:2px",
    "classDef critical stroke:#b91c1c,stroke-width:3px",
)


def markdown_of(stack: Stack) -> str:
    """Write the verdict, the graph, what is wrong, and a table of the hosts."""
    parts = [f"# {_text(stack.sentence)}", f"{_text(stack.url)}, seen {stack.created_at}", "\n".join(_graph(stack))]
    if stack.findings:
        rows = [
            f"- **{f.level.value}** {_text(f.host or 'stack')}: {_text(f.reason)}. What to do: {_text(f.action)}"
            for f in stack.findings
        ]
        parts += ["## Findings", "\n".join(rows)]
    if stack.single_points:
        rows = [
            f"- {TITLES[p.tier]}: without {_text(p.host)} {p.stops} stop. To remove that: {_text(p.remedy)}"
            for p in stack.single_points
        ]
        parts += ["## Single points of failure", "\n".join(rows)]
    table = ["| host | address | verdict | release | firewall |", "|---|---|---|---|---|"]
    table += [_row(host) for host in stack.hosts]
    return "\n\n".join([*parts, "## Hosts", "\n".join(table)]) + "\n"


def _row(host: Host) -> str:
    firewall = {True: "active", False: "**off**", None: ""}[host.firewall_active]
    cells = (host.name, host.address, host.verdict, host.release or "")
    return f"| {' | '.join(_text(cell) for cell in cells)} | {firewall} |"


def _graph(stack: Stack) -> t.Iterator[str]:
    """Yield the lines of the graph; hosts go by numbers there, since their names can be anything."""
    ids = {host.name: f"host{number}" for number, host in enumerate(stack.hosts)}
    yield "```mermaid"
    yield "flowchart LR"
    yield f'  url(["{_quoted(stack.url)}"])'
    for tier in (Tier.LOAD_BALANCERS, Tier.WEB_SERVERS, Tier.DB_SERVERS):
        hosts = stack.of_tier(tier)
        if hosts:
            mark = f", {MARK}" if stack.single_point_of(tier) else ""
            yield f'  subgraph {tier.value}["{TITLES[tier]}{mark}"]'
            for host in hosts:
                yield f'    {ids[host.name]}["{_quoted(host.name)}<br/>{_quoted(host.verdict)}"]'
            yield "  end"
    yield from _edges(stack, ids)
    for line in _CLASSES:
        yield f"  {line}"
    for host in stack.hosts:
        if host.level is not Level.WELL:
            yield f"  class {ids[host.name]} {host.level.value}"
    yield "```"


def _edges(stack: Stack, ids: t.Mapping[str, str]) -> t.Iterator[str]:
    for traffic in stack.traffic:
        arrow = "-->" if traffic.state is TrafficState.FLOWING else "-.->"
        yield f'  {ids.get(traffic.source or "", "url")} {arrow}|"{share_text(traffic.share)}"| {ids[traffic.target]}'
    for primary in stack.primaries():
        for server in stack.of_tier(Tier.WEB_SERVERS):
            arrow = "-->" if write_state(stack, server, primary) is TrafficState.FLOWING else "-.->"
            yield f"  {ids[server.name]} {arrow} {ids[primary.name]}"
    for link in stack.links:
        if link.source in ids:
            arrow = "==>" if link.running else "-.->"
            words = f"{lag_text(link.lag_seconds)}, {gap_text(link.transactions_behind)}"
            yield f'  {ids[link.source]} {arrow}|"{words}"| {ids[link.replica]}'


def _text(words: str) -> str:
    """Let no name or reason be read as markup."""
    flat = " ".join(words.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", flat)


def _quoted(words: str) -> str:
    """Write a text as Mermaid takes it between quotes: with entities by number."""
    flat = " ".join(words.split())
    return re.sub(r"[^\w .,:/%-]", lambda match: f"#{ord(match[0])};", flat)


__all__ = ("markdown_of",)
