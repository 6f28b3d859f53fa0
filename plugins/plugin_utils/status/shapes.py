# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drawing of the stack is made of, in pixels, and how much text fits."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, Tier, TrafficState
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.words import gap_text, lag_text, share_text

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Host, Link, Stack, Traffic

NODE_HEIGHT = 56
TITLE_SIZE, NOTE_SIZE = 13.5, 12
TEXT_INDENT, TEXT_MARGIN = 30, 12
MARK = "single point of failure"

_WIDTHS = (("ijl.,:;'|! ", 0.33), ("frtI()[]/-", 0.42), ("w", 0.83), ("mMWOQ@%", 1.0))
_USUAL, _CAPITAL, _FOREIGN, _BOLD = 0.635, 0.77, 1.0, 1.13
"""In ems of DejaVu Sans, the widest font that system-ui stands for: what fits in it fits in all of them."""
_EMS = {character: width for characters, width in _WIDTHS for character in characters}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node: who it is, and how."""

    x: float
    y: float
    width: float
    title: str
    note: str
    corner: str
    """A figure in the upper right corner."""
    level: Level | None
    """Nothing for the public URL, which is nobody's host."""
    absent: bool
    whole: str
    """What is said in full to who points at it."""

    @property
    def middle(self) -> float:
        return self.y + NODE_HEIGHT / 2

    @property
    def right(self) -> float:
        return self.x + self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    x: float
    y: float
    text: str
    kind: str
    """``heading``, ``mark`` or ``figure``."""
    anchor: str = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    path: str
    width: float
    state: TrafficState
    whole: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    name: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    labels: tuple[Label, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Hosts of one tier; databases are two of them."""

    name: str
    heading: str
    marked: bool
    hosts: tuple[Host, ...]


def columns_of(stack: Stack) -> list[Column]:
    """Return the tiers in the order in which a request meets them; those without hosts are left out."""
    columns = [
        ("load_balancers", "Load balancers", Tier.LOAD_BALANCERS, stack.of_tier(Tier.LOAD_BALANCERS)),
        ("web_servers", "Web servers", Tier.WEB_SERVERS, stack.of_tier(Tier.WEB_SERVERS)),
        ("primary", "Primary", Tier.DB_SERVERS, stack.primaries()),
        ("replicas", "Replicas", None, stack.replicas()),
    ]
    return [
        Column(name=name, heading=heading, marked=bool(tier and stack.single_point_of(tier)), hosts=hosts)
        for name, heading, tier, hosts in columns
        if hosts
    ]


def share_to(stack: Stack, host: str) -> float:
    """Return what part of all requests reaches a host."""
    return sum(
        traffic.share for traffic in stack.traffic if traffic.target == host and traffic.state is TrafficState.FLOWING
    )


def write_state(stack: Stack, server: Host, primary: Host) -> TrafficState:
    """Tell whether the writes of a web server can reach a primary."""
    if not server.reachable and not share_to(stack, server.name):
        return TrafficState.BROKEN
    if primary.database is None or primary.database.role != "primary":
        return TrafficState.BROKEN
    return TrafficState.FLOWING if share_to(stack, server.name) > 0 else TrafficState.WAITING


def host_box(stack: Stack, host: Host, *, x: float, y: float, width: float) -> Box:
    corner = ""
    if host.server is not None and host.server.share is not None:
        corner = share_text(share_to(stack, host.name))
    taken = text_width(corner, NOTE_SIZE, bold=True) + 10 if corner else 0
    room = width - TEXT_INDENT - TEXT_MARGIN
    return Box(
        x=x,
        y=y,
        width=width,
        title=fitted(_short_name(stack, host.name), room - taken, TITLE_SIZE, bold=True),
        note=fitted(host.verdict, room, NOTE_SIZE),
        corner=corner,
        level=host.level,
        absent=not host.reachable,
        whole=f"{host.name}, {host.address}: {host.verdict}",
    )


def _short_name(stack: Stack, name: str) -> str:
    """Leave out the domain where hosts can be told apart without."""
    label = name.partition(".")[0]
    alike = [host for host in stack.hosts if host.name.partition(".")[0] == label]
    return name if label.isdigit() or len(alike) > 1 else label


def url_box(stack: Stack, *, x: float, y: float, width: float) -> Box:
    room = width - TEXT_INDENT - TEXT_MARGIN
    scheme, _, place = stack.url.partition("://")
    return Box(
        x=x,
        y=y,
        width=width,
        title=fitted(place or stack.url, room, TITLE_SIZE, bold=True),
        note=fitted(f"{scheme}, public URL" if place else "public URL", room, NOTE_SIZE),
        corner="",
        level=None,
        absent=False,
        whole=stack.url,
    )


def traffic_words(traffic: Traffic) -> str:
    source = traffic.source or "public URL"
    basis = "" if traffic.measured else ", by weight"
    return f"{source} to {traffic.target}: {share_text(traffic.share)} of requests{basis}, {traffic.state.value}"


def link_words(link: Link) -> tuple[str, str]:
    return lag_text(link.lag_seconds), gap_text(link.transactions_behind)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is at most."""
    return sum(_em(character) for character in text) * size * (_BOLD if bold else 1)


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Shorten a text in its middle: names of hosts differ at their ends."""
    flat = " ".join(text.split())
    if text_width(flat, size, bold=bold) <= room:
        return flat
    for kept in range(len(flat) - 1, 1, -1):
        tail = kept // 2
        shorter = f"{flat[: kept - tail].rstrip()}…{flat[len(flat) - tail :].lstrip()}"
        if text_width(shorter, size, bold=bold) <= room:
            return shorter
    return "…"


def _em(character: str) -> float:
    if not character.isascii():
        return _FOREIGN
    return _EMS.get(character, _CAPITAL if character.isupper() else _USUAL)


__all__ = (
    "MARK",
    "NODE_HEIGHT",
    "NOTE_SIZE",
    "TEXT_INDENT",
    "TEXT_MARGIN",
    "TITLE_SIZE",
    "Box",
    "Column",
    "Drawing",
    "Label",
    "Line",
    "columns_of",
    "fitted",
    "host_box",
    "link_words",
    "share_to",
    "text_width",
    "traffic_words",
    "url_box",
    "write_state",
)
