# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as people read them, the same in every view."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import PoolServer

_SHORT_LAG = 10
_STEPS = ((86400, "d"), (3600, "h"), (60, "min"))
_SCALES = ((10**9, "G"), (10**6, "M"), (10**4, "k"))


def moment_text(moment: str) -> str:
    """Write a moment of ISO 8601 in UTC to the minute."""
    return f"{moment[:16].replace('T', ' ')} UTC" if moment.endswith("+00:00") else moment


def share_text(share: float) -> str:
    return f"{share * 100:.0f} %"


def lag_text(seconds: float | None) -> str:
    if seconds is None:
        return "lag unknown"
    return f"lag {seconds:.1f} s" if seconds < _SHORT_LAG else f"lag {duration_text(seconds)}"


def gap_text(transactions: int | None) -> str:
    """Name the transactions that a replica lacks: the gap between the GTIDs."""
    return "gap unknown" if transactions is None else f"gap {count_text(transactions)}"


def count_text(number: int) -> str:
    for scale, letter in _SCALES:
        if number >= scale:
            unit = 1000 if letter == "k" else scale
            return f"{number / unit:.0f} {letter}"
    return str(number)


def duration_text(seconds: float) -> str:
    for size, word in _STEPS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds:.0f} s"


def days_text(days: int | None) -> str:
    if days is None:
        return "unreadable"
    if days < 0:
        return "expired"
    return f"{days} day{'' if days == 1 else 's'} left"


def role_text(server: PoolServer) -> str:
    return "backup" if server.backup else f"weight {server.weight}"


__all__ = ("count_text", "days_text", "duration_text", "gap_text", "lag_text", "moment_text", "role_text", "share_text")
