# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack from top to bottom, for a screen in a hand: arrivals on the left, departures on the right."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import TrafficState
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
    url_box,
    write_state,
)

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Host, Stack

WIDTH = 334
LEFT_RAIL, RIGHT_RAIL, LEFT, RIGHT = 5, WIDTH - 5, 22, WIDTH - 22
NODE_SPACE, CROSSING_ROOM, HEADING_ROOM, FIGURE_ROOM, BEND = 10, 16, 34, 18, 6
THICKEST, THINNEST, LINK_WIDTH = 7, 1.6, 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The way into a box, or out of it."""

    middle: float
    width: float
    state: TrafficState


def narrow_drawing(stack: Stack) -> Drawing:
    y = 1.0
    entrance = url_box(stack, x=LEFT, y=y, width=RIGHT - LEFT)
    boxes: list[Box] = [entrance]
    labels: list[Label] = []
    lines: list[Line] = []
    above = [Branch(middle=entrance.middle, width=THICKEST, state=TrafficState.FLOWING)]
    y = entrance.y + NODE_HEIGHT
    for column in columns_of(stack):
        crossing = y + CROSSING_ROOM
        y = crossing + HEADING_ROOM
        labels += _headings(column, y - 10)
        branches = []
        for host in column.hosts:
            link = stack.link_of(host.name) if column.name == "replicas" else None
            if link:
                text = ", ".join(link_words(link))
                y += FIGURE_ROOM
                labels.append(Label(x=LEFT + 2, y=y - 6, text=text, kind="figure"))
            box = host_box(stack, host, x=LEFT, y=y, width=RIGHT - LEFT)
            boxes.append(box)
            branches.append(_branch(stack, column, host, box.middle))
            y += NODE_HEIGHT + NODE_SPACE
        y -= NODE_SPACE
        lines += _rails(above, crossing, branches)
        above = branches
    return Drawing(
        name="narrow", width=WIDTH, height=y + 2, boxes=tuple(boxes), labels=tuple(labels), lines=tuple(lines)
    )


def _headings(column: Column, y: float) -> list[Label]:
    mark = [Label(x=RIGHT, y=y, text=MARK, kind="mark", anchor="end")] if column.marked else []
    return [Label(x=LEFT + 2, y=y, text=column.heading, kind="heading"), *mark]


def _branch(stack: Stack, column: Column, host: Host, middle: float) -> Branch:
    if column.name == "replicas":
        link = stack.link_of(host.name)
        running = link is not None and link.running and host.reachable
        return Branch(middle=middle, width=LINK_WIDTH, state=TrafficState.FLOWING if running else TrafficState.BROKEN)
    if column.name == "primary":
        states = [write_state(stack, server, host) for server in stack.hosts if server.server is not None]
        return _weighted(middle, 1.0, states or [TrafficState.BROKEN])
    states = [traffic.state for traffic in stack.traffic if traffic.target == host.name]
    return _weighted(middle, share_to(stack, host.name), states or [TrafficState.BROKEN])


def _weighted(middle: float, share: float, states: t.Sequence[TrafficState]) -> Branch:
    state = min(states, key=list(TrafficState).index)
    width = max(THINNEST, THICKEST * share) if state is TrafficState.FLOWING else THINNEST
    return Branch(middle=middle, width=width, state=state)


def _rails(above: t.Sequence[Branch], crossing: float, branches: t.Sequence[Branch]) -> list[Line]:
    """Collect what leaves the boxes above, lead it across, and share it out: each part is as thick as what is in it."""
    arriving = [branch for branch in branches if branch.state is TrafficState.FLOWING]
    leaving = [branch for branch in above if branch.state is TrafficState.FLOWING] if arriving else []
    whole = min(THICKEST, sum(branch.width for branch in arriving)) if arriving else THINNEST
    state = TrafficState.FLOWING if arriving else branches[-1].state
    top, bottom = (leaving or above)[0].middle, (arriving or branches)[-1].middle
    lines = [Line(path=_crossing(crossing), width=whole, state=state)]
    lines += _collected(leaving or above, crossing - BEND, whole, state)
    lines += _shared_out(arriving or branches, crossing + BEND, whole, state)
    for branch in above:
        reach = f"V{top}" if branch.middle < top else ""
        kept = state if state is not TrafficState.FLOWING else branch.state
        lines.append(
            Line(path=f"M{RIGHT} {branch.middle}H{RIGHT_RAIL}{reach}", width=min(branch.width, whole), state=kept)
        )
    for branch in branches:
        reach = f"V{bottom}" if branch.middle > bottom else ""
        lines.append(Line(path=f"M{LEFT} {branch.middle}H{LEFT_RAIL}{reach}", width=branch.width, state=branch.state))
    return lines


def _crossing(y: float) -> str:
    right, left, bend = RIGHT_RAIL, LEFT_RAIL, BEND
    first, second = f"Q{right} {y} {right - bend} {y}", f"Q{left} {y} {left} {y + bend}"
    return f"M{right} {y - bend}{first}H{left + bend}{second}"


def _collected(boxes: t.Sequence[Branch], end: float, whole: float, state: TrafficState) -> t.Iterator[Line]:
    """Go down on the right, thicker at each box."""
    gathered = 0.0
    for number, box in enumerate(boxes):
        gathered = min(whole, gathered + box.width)
        below = boxes[number + 1].middle if number + 1 < len(boxes) else end
        width = gathered if number + 1 < len(boxes) else whole
        yield Line(path=f"M{RIGHT_RAIL} {box.middle - min(box.width, width) / 2:.1f}V{below}", width=width, state=state)


def _shared_out(boxes: t.Sequence[Branch], start: float, whole: float, state: TrafficState) -> t.Iterator[Line]:
    """Go down on the left, thinner at each box."""
    for number, box in enumerate(boxes):
        width = min(whole, sum(each.width for each in boxes[number:]))
        yield Line(path=f"M{LEFT_RAIL} {start}V{box.middle + box.width / 2:.1f}", width=width, state=state)
        start = box.middle


__all__ = ("narrow_drawing",)
