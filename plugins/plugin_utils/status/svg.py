# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drawing as SVG inside a page, whose style sheet has its colours."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.elements import Attributes, element
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, TrafficState
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.shapes import (
    NODE_HEIGHT,
    TEXT_INDENT,
    TEXT_MARGIN,
    Box,
    Drawing,
    Label,
    Line,
)

if t.TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SIGNS = {
    Level.WELL: "M-4.5 0A4.5 4.5 0 1 1 4.5 0A4.5 4.5 0 1 1 -4.5 0Z",
    Level.WARNING: "M0 -5.2L5.6 4.6H-5.6Z",
    Level.CRITICAL: "M-4.6 -4.6H4.6V4.6H-4.6Z",
}
"""A circle, a triangle, a square: who cannot tell the colours tells the shapes."""

GLOBE = "M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0ZM-6 0H6M0 -6C-3.4 -3 -3.4 3 0 6C3.4 3 3.4 -3 0 -6"


def svg_of(drawing: Drawing, *, title: str, description: str) -> Element:
    """Draw lines below boxes below labels. What it shows stands on the cards of the page, too."""
    titled, described = f"{drawing.name}-title", f"{drawing.name}-description"
    return element(
        "svg",
        {
            "class": f"picture {drawing.name}",
            "viewBox": f"0 0 {drawing.width:.0f} {drawing.height:.0f}",
            "width": round(drawing.width),
            "height": round(drawing.height),
            "role": "img",
            "aria-labelledby": f"{titled} {described}",
        },
        element("title", {"id": titled}, title),
        element("desc", {"id": described}, description),
        *(_line(line) for line in sorted(drawing.lines, key=_order)),
        *(_box(box) for box in drawing.boxes),
        *(_label(label) for label in drawing.labels),
    )


def sign(level: Level, *, size: float = 11) -> Element:
    """Draw the sign of a level for use in a line of text; the words beside it say the same."""
    path = element("path", {"d": SIGNS[level]})
    kind = f"sign {level.value}"
    attributes: Attributes = {"class": kind, "viewBox": "-6 -6 12 12", "width": size, "height": size}
    return element("svg", {**attributes, "aria-hidden": "true"}, path)


def _order(line: Line) -> int:
    """Return what is drawn first: what is broken must not be covered."""
    return [TrafficState.WAITING, TrafficState.FLOWING, TrafficState.BROKEN].index(line.state)


def _line(line: Line) -> Element:
    attributes: Attributes = {"class": f"edge {line.state.value}", "d": line.path, "stroke-width": line.width}
    return element("path", attributes, element("title", None, line.whole) if line.whole else None)


def _box(box: Box) -> Element:
    kind = box.level.value if box.level else "outside"
    mark = ("sign", SIGNS[box.level]) if box.level else ("globe", GLOBE)
    return element(
        "g",
        {"class": f"node {kind}{' absent' if box.absent else ''}"},
        element("title", None, box.whole),
        element("rect", {"x": box.x, "y": box.y, "width": box.width, "height": NODE_HEIGHT, "rx": 10}),
        element("path", {"class": mark[0], "d": mark[1], "transform": f"translate({box.x + 16:.1f} {box.y + 19:.1f})"}),
        _text("name", box.x + TEXT_INDENT, box.y + 24, box.title),
        _text("corner", box.right - TEXT_MARGIN, box.y + 24, box.corner, anchor="end") if box.corner else None,
        _text("note", box.x + TEXT_INDENT, box.y + 42, box.note),
    )


def _label(label: Label) -> Element:
    return _text(label.kind, label.x, label.y, label.text, anchor=label.anchor)


def _text(kind: str, x: float, y: float, words: str, *, anchor: str = "start") -> Element:
    return element("text", {"class": kind, "x": x, "y": y, "text-anchor": anchor}, words)


__all__ = ("sign", "svg_of")
