# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack from left to right, for a screen on a desk."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Tier, TrafficState
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.shapes import (
    MARK,
    NODE_HEIGHT,
    Box,
    Column,
    Drawing,
    Label,
    Line,
    columns_of,
    host_box,
    link_words,
    share_to,
    traffic_words,
    url_box,
    write_state,
)

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Stack

WIDTHS = {"load_balancers": 172, "web_servers": 196, "primary": 172, "replicas": 172}
GAPS = {"load_balancers": 52, "web_servers": 88, "primary": 84, "replicas": 140}
"""Before each column; the replication says its lag there."""
URL_WIDTH, NODE_SPACE, HEAD_ROOM, FOOT_ROOM = 200, 14, 44, 6
LOOP_ROOM = 44
"""Beside the replicas, for those that follow another replica."""
THICKEST, THINNEST = 16, 1.6
LINK_WIDTH = 2.5
FIGURE_WIDTH = 86
"""Where lag and gap stand, the way is straight between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    source: Box
    target: Box
    width: float
    state: TrafficState
    whole: str


def wide_drawing(stack: Stack) -> Drawing:
    columns = columns_of(stack)
    tallest = max((len(column.hosts) for column in columns), default=1)
    middle = HEAD_ROOM + _stack_height(tallest) / 2
    entrance = url_box(stack, x=1, y=middle - NODE_HEIGHT / 2, width=URL_WIDTH)
    boxes: dict[str, Box] = {}
    labels: list[Label] = [Label(x=entrance.x + 2, y=entrance.y - 12, text="Clients", kind="heading")]
    right = entrance.right
    for column in columns:
        x, top = right + GAPS[column.name], middle - _stack_height(len(column.hosts)) / 2
        labels += _headings(column, x, top)
        for number, host in enumerate(column.hosts):
            y = top + number * (NODE_HEIGHT + NODE_SPACE)
            boxes[f"{column.name} {host.name}"] = host_box(stack, host, x=x, y=y, width=WIDTHS[column.name])
        right = x + WIDTHS[column.name]
    links, figures = _links(stack, boxes)
    edges = _edges(stack, entrance, boxes)
    return Drawing(
        name="wide",
        width=right + 1 + (LOOP_ROOM if _loops(stack) else 0),
        height=middle + _stack_height(tallest) / 2 + FOOT_ROOM,
        boxes=(entrance, *boxes.values()),
        labels=(*labels, *figures),
        lines=(*_drawn(edges), *links),
    )


def _stack_height(count: int) -> float:
    return count * NODE_HEIGHT + (count - 1) * NODE_SPACE


def _headings(column: Column, x: float, top: float) -> list[Label]:
    if not column.marked:
        return [Label(x=x + 2, y=top - 12, text=column.heading, kind="heading")]
    return [
        Label(x=x + 2, y=top - 28, text=column.heading, kind="heading"),
        Label(x=x + 2, y=top - 12, text=MARK, kind="mark"),
    ]


def _edges(stack: Stack, entrance: Box, boxes: t.Mapping[str, Box]) -> list[Edge]:
    """Return the ways of requests, thick by their share."""
    edges = [
        Edge(
            source=boxes[f"load_balancers {traffic.source}"] if traffic.source else entrance,
            target=boxes[f"{'web_servers' if traffic.source else 'load_balancers'} {traffic.target}"],
            width=_thickness(traffic.share, traffic.state),
            state=traffic.state,
            whole=traffic_words(traffic),
        )
        for traffic in stack.traffic
    ]
    for server in stack.of_tier(Tier.WEB_SERVERS):
        for primary in stack.primaries():
            state = write_state(stack, server, primary)
            edges.append(
                Edge(
                    source=boxes[f"web_servers {server.name}"],
                    target=boxes[f"primary {primary.name}"],
                    width=_thickness(share_to(stack, server.name), state),
                    state=state,
                    whole=f"writes of {server.name} to {primary.name}, {state.value}",
                )
            )
    return edges


def _thickness(share: float, state: TrafficState) -> float:
    return max(THINNEST, THICKEST * share) if state is TrafficState.FLOWING else THINNEST


def _drawn(edges: c.Sequence[Edge]) -> t.Iterator[Line]:
    """Lay edges side by side where they leave and where they arrive, so that none covers another one."""
    starts = _places(edges, lambda edge: edge.source, lambda edge: edge.target)
    ends = _places(edges, lambda edge: edge.target, lambda edge: edge.source)
    for number, edge in enumerate(edges):
        path = _curve(edge.source.right, starts[number], edge.target.x, ends[number])
        yield Line(path=path, width=edge.width, state=edge.state, whole=edge.whole)


def _places(edges: c.Sequence[Edge], side: c.Callable[[Edge], Box], other: c.Callable[[Edge], Box]) -> dict[int, float]:
    """Return at which height each edge touches its box."""
    places: dict[int, float] = {}
    for box in dict.fromkeys(side(edge) for edge in edges):
        touching = sorted(
            (number for number, edge in enumerate(edges) if side(edge) == box),
            key=lambda number: other(edges[number]).middle,
        )
        height = sum(edges[number].width + 1 for number in touching)
        scale = min(1.0, (NODE_HEIGHT - 16) / height)
        place = box.middle - height * scale / 2
        for number in touching:
            width = (edges[number].width + 1) * scale
            places[number] = place + width / 2
            place += width
    return places


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (x + to_x) / 2
    return f"M{x:.1f} {y:.1f}C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _links(stack: Stack, boxes: t.Mapping[str, Box]) -> tuple[list[Line], list[Label]]:
    """Return the ways of the replication, with lag and gap where they arrive."""
    lines: list[Line] = []
    labels: list[Label] = []
    for replica in stack.replicas():
        box = boxes[f"replicas {replica.name}"]
        link = stack.link_of(replica.name)
        words = link_words(link) if link else ()
        state = TrafficState.FLOWING if link and link.running and replica.reachable else TrafficState.BROKEN
        for source in [link.source] if link else [primary.name for primary in stack.primaries()]:
            path = _link_path(boxes, source, box)
            whole = f"{source} to {replica.name}: {', '.join(words) or 'nobody knows whether it follows'}"
            lines += [Line(path=path, width=LINK_WIDTH, state=state, whole=whole)] if path else []
        for text, offset in zip(words, (-8, 17), strict=False):
            labels.append(Label(x=box.x - 12, y=box.middle + offset, text=text, kind="figure", anchor="end"))
    return lines, labels


def _link_path(boxes: t.Mapping[str, Box], source: str, box: Box) -> str:
    """Lead from the primary, or around from another replica; a source outside the stack has no place to come from."""
    if origin := boxes.get(f"primary {source}"):
        return f"{_curve(origin.right, origin.middle, box.x - FIGURE_WIDTH, box.middle)}H{box.x}"
    if origin := boxes.get(f"replicas {source}"):
        beside = box.right + LOOP_ROOM
        start, end = f"{box.right} {origin.middle}", f"{box.right} {box.middle}"
        return f"M{start}C{beside} {origin.middle} {beside} {box.middle} {end}"
    return ""


def _loops(stack: Stack) -> bool:
    names = {replica.name for replica in stack.replicas()}
    return any(link.source in names for link in stack.links)


__all__ = ("wide_drawing",)
