# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack as a page that needs nothing from anywhere: no script, no font, no picture that is not in it."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.cards import cards_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.elements import breakable, capital, element, html_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Tier, TrafficState
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.narrow import narrow_drawing
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.shapes import MARK
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.style import STYLE
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.svg import sign, svg_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.wide import wide_drawing
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.words import moment_text

if t.TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, Stack

NO_REQUESTS = "default-src 'none'; style-src 'unsafe-inline'"
"""What the browser is told: the page asks nobody for anything."""
TITLES = {
    Tier.LOAD_BALANCERS: "Load balancers",
    Tier.WEB_SERVERS: "Web servers",
    Tier.DB_SERVERS: "Databases",
    Tier.MONITORING: "Monitoring",
}


def page_of(stack: Stack) -> str:
    head = element(
        "head",
        None,
        element("meta", {"charset": "utf-8"}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": NO_REQUESTS}),
        element("title", None, f"{stack.sentence} {stack.url}"),
        element("style", None, STYLE),
    )
    parts = [
        _verdict(stack),
        _findings(stack),
        _picture(stack),
        _single_points(stack),
        element("div", {"class": "tiers"}, *(_tier(stack, tier) for tier in Tier)),
        element("footer", None, "Made by webinfra.stack.status. It shows one moment; run it again for the next."),
    ]
    body = element("body", None, element("main", None, *parts))
    return f"<!DOCTYPE html>\n{html_of(element('html', {'lang': 'en'}, head, body))}\n"


def _verdict(stack: Stack) -> Element:
    words = (stack.url, moment_text(stack.created_at))
    over = element("p", {"class": "over"}, *(element("span", None, each) for each in words))
    opening, _, rest = stack.sentence.partition(": ")
    sentence = element("h1", None, element("b", None, opening, element("span", None, ": ")), rest)
    verdict = {"class": f"verdict {stack.level.value}"}
    return element("header", None, over, element("div", verdict, sign(stack.level, size=18), sentence))


def _findings(stack: Stack) -> Element | None:
    rows = [_row(f.level, f.host or "the stack", f.reason, f.action) for f in stack.findings]
    return _list("What is wrong, and what to do", rows)


def _single_points(stack: Stack) -> Element | None:
    rows = [_row(None, point.host, f"Without it {point.stops} stop", point.remedy) for point in stack.single_points]
    return _list("Single points of failure", rows)


def _list(heading: str, rows: t.Sequence[Element]) -> Element | None:
    if not rows:
        return None
    return element("section", None, element("h2", None, heading), element("ul", {"class": "panel rows"}, *rows))


def _row(level: Level | None, who: str, what: str, remedy: str) -> Element:
    return element(
        "li",
        None,
        sign(level) if level else element("span", {"class": "mark", "aria-hidden": "true"}, "●"),
        element("span", {"class": "who"}, *breakable(who)),
        element("span", {"class": "what"}, capital(what)),
        element("span", {"class": "remedy"}, capital(remedy)),
    )


def _picture(stack: Stack) -> Element:
    title, description = f"The way of a request through {stack.url}", _description(stack)
    drawings = (wide_drawing(stack), narrow_drawing(stack))
    stage = [svg_of(drawing, title=title, description=description) for drawing in drawings]
    states = {traffic.state for traffic in stack.traffic}
    legend = element(
        "p",
        {"class": "legend"},
        _key("flowing", 7, "thick by its share of the requests"),
        _key("waiting", 1.6, "stands by, or drained") if TrafficState.WAITING in states else None,
        _key("broken", 1.6, "broken") if _anything_broken(stack) else None,
    )
    heading = element("h2", None, "The way of a request")
    return element("section", None, heading, element("div", {"class": "panel stage"}, *stage, legend))


def _anything_broken(stack: Stack) -> bool:
    broken = any(traffic.state is TrafficState.BROKEN for traffic in stack.traffic)
    return broken or any(not host.reachable for host in stack.hosts)


def _key(state: str, width: float, words: str) -> Element:
    line = element("path", {"class": f"edge {state}", "d": "M1 6H31", "stroke-width": width})
    drawn = element("svg", {"viewBox": "0 0 32 12", "width": 32, "height": 12, "aria-hidden": "true"}, line)
    return element("span", None, drawn, words)


def _description(stack: Stack) -> str:
    """Say in words what the picture shows."""
    tiers = {TITLES[tier]: stack.of_tier(tier) for tier in Tier if tier is not Tier.MONITORING}
    said = [f"{title}: {', '.join(f'{host.name} {host.verdict}' for host in hosts)}" for title, hosts in tiers.items()]
    return ". ".join(said) + "."


def _tier(stack: Stack, tier: Tier) -> Element | None:
    hosts = stack.of_tier(tier)
    if not hosts:
        return None
    mark = element("span", {"class": "mark"}, MARK) if stack.single_point_of(tier) else None
    heading = element("h2", None, TITLES[tier], mark)
    return element("section", None, heading, element("div", {"class": "cards"}, *cards_of(stack, tier)))


__all__ = ("page_of",)
