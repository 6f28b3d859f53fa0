# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements of a page. Names and reasons come from hosts and people: as text and attributes they are always escaped."""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree as ET

Attributes = t.Mapping[str, str | float | None]


def element(tag: str, attributes: Attributes | None = None, *children: ET.Element | str | None) -> ET.Element:
    """Make an element; attributes and children that are nothing are left out."""
    made = ET.Element(tag, {name: _text(value) for name, value in (attributes or {}).items() if value is not None})
    last: ET.Element | None = None
    for child in children:
        if isinstance(child, str):
            if last is None:
                made.text = (made.text or "") + _text(child)
            else:
                last.tail = (last.tail or "") + _text(child)
        elif child is not None:
            made.append(child)
            last = child
    return made


def breakable(name: str) -> list[ET.Element | str]:
    """Let a long name be broken behind its dots."""
    parts: list[ET.Element | str] = []
    for part in name.split("."):
        parts += [".", element("wbr"), part] if parts else [part]
    return parts


def capital(sentence: str) -> str:
    """Begin a sentence as one; a name with a digit or a dot in it is left as it is."""
    first = sentence.partition(" ")[0]
    return sentence[:1].upper() + sentence[1:] if first.isalpha() else sentence


def html_of(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode", method="html")


def _text(value: str | float) -> str:
    """Write numbers short, and drop the characters that no document may have."""
    if isinstance(value, (int, float)):
        return f"{value:.1f}".removesuffix(".0")
    return "".join(character for character in value if character.isprintable() or character in "\n\t")


__all__ = ("Attributes", "breakable", "capital", "element", "html_of")
