# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card for each host: its verdict, and what is known of it."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.elements import breakable, capital, element
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.findings import level_of_certificate
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, Tier
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.shapes import share_to
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.svg import sign
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.words import (
    count_text,
    days_text,
    duration_text,
    lag_text,
    role_text,
    share_text,
)

if t.TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Host, Stack

Fact = tuple[str, str, Level]


def cards_of(stack: Stack, tier: Tier) -> list[Element]:
    return [_card(stack, host, tier) for host in stack.of_tier(tier)]


def _card(stack: Stack, host: Host, tier: Tier) -> Element:
    reasons = [element("p", {"class": "reason"}, capital(f.reason)) for f in stack.findings_of(host.name)]
    facts = list(_facts(stack, host, tier))
    rows = [row for fact in facts for row in _row(*fact)]
    body = element(
        "div",
        {"class": "body"},
        element("h3", None, *breakable(host.name)),
        element("p", {"class": "address"}, host.address),
        *reasons,
        element("dl", None, *rows) if rows else None,
    )
    header = element("header", None, sign(host.level), element("span", None, host.verdict))
    return element("article", {"class": f"panel card {host.level.value}"}, header, body)


def _row(label: str, value: str, level: Level) -> tuple[Element, Element]:
    kind = None if level is Level.WELL else {"class": level.value}
    return element("dt", None, label), element("dd", kind, *breakable(value))


def _facts(stack: Stack, host: Host, tier: Tier) -> t.Iterator[Fact]:
    if tier is Tier.LOAD_BALANCERS:
        yield from _of_balancer(stack, host)
    elif tier is Tier.WEB_SERVERS:
        yield from _of_server(stack, host)
    elif tier is Tier.DB_SERVERS:
        yield from _of_database(stack, host)
    if host.firewall_active is not None:
        yield ("Firewall", "active", Level.WELL) if host.firewall_active else ("Firewall", "off", Level.WARNING)
    if host.distribution:
        yield "System", host.distribution, Level.WELL


def _of_balancer(stack: Stack, host: Host) -> t.Iterator[Fact]:
    if not host.reachable:
        return
    yield "Program", stack.provider, Level.WELL
    if host.has_shared_address is not None:
        yield "Shared address", f"has {stack.shared_address}" if host.has_shared_address else "stands by", Level.WELL
    for certificate in host.certificates:
        yield certificate.names[0], days_text(certificate.days_left), level_of_certificate(certificate.days_left)
    if not host.certificates:
        yield "Certificate", "none", Level.WELL


def _of_server(stack: Stack, host: Host) -> t.Iterator[Fact]:
    if host.server is not None:
        basis = "" if host.server.share is not None else " by weight"
        yield "Requests", f"{share_text(share_to(stack, host.name))}{basis}", Level.WELL
        yield "In the pool", role_text(host.server), Level.WELL
        if host.server.state != "ready":
            yield "State", host.server.state, Level.WARNING
        elif host.server.override:
            yield "Set", host.server.override, Level.WELL
    if host.reachable:
        yield "Release", host.release or "none", Level.WELL


def _of_database(stack: Stack, host: Host) -> t.Iterator[Fact]:
    link, database = stack.link_of(host.name), host.database
    if database is None:
        return
    yield "Role", database.role, Level.WELL
    if link:
        yield "Follows", link.source, Level.WELL
        yield "Lag", lag_text(link.lag_seconds).removeprefix("lag "), Level.WELL
        behind = link.transactions_behind
        yield "GTID gap", "unknown" if behind is None else count_text(behind), Level.WELL
    if database.commits_wait is not None:
        yield "Commits wait", "for a replica" if database.commits_wait else "for nobody", Level.WELL
    yield "Version", f"{stack.engine} {database.version.partition('-')[0]}", Level.WELL
    yield "Runs for", duration_text(database.uptime_seconds), Level.WELL


__all__ = ("cards_of",)
