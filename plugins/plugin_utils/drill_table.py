# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill's verdict as a table of lines, for a terminal."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_verdict import goals_of

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_verdict import Drill, Verdict

_WORDS = {
    "acknowledged": ("acknowledged rows", ""),
    "unknown": ("rows without an answer", ""),
    "unknown_but_written": ("  of which are there", ""),
    "lost": ("acknowledged and lost", ""),
    "doubled": ("there more than once", ""),
    "differing": ("different between servers", ""),
    "two_open_seconds": ("two servers open", " s"),
    "write_gap_seconds": ("longest gap of writes", " s"),
    "read_gap_seconds": ("longest gap of reads", " s"),
    "seconds_to_write": ("until the first write", " s"),
    "writes_closed_ms": ("writes closed on the servers", " ms"),
    "moved_ms": ("the move itself", " ms"),
    "reseeded": ("old primaries filled anew", ""),
}
_LABEL_WIDTH, _FIGURE_WIDTH = 30, 12


def table_lines(drill: Drill, verdict: Verdict) -> list[str]:
    """Write down the figures with their goals, then what is wrong."""
    goals = {goal.figure: goal for goal in goals_of(drill)}
    lines = [f"drill {drill.fault}, {drill.engine}, {drill.durability}"]
    for figure, (label, unit) in _WORDS.items():
        found = getattr(verdict.figures, figure)
        goal = goals.get(figure)
        if found is None and goal is None:
            continue
        wanted = f"  goal {goal.most:g}{unit}" if goal else ""
        lines.append(f"  {label:{_LABEL_WIDTH}}{_shown(found, unit):>{_FIGURE_WIDTH}}{wanted}")
    lines += [f"  failed: {failure}" for failure in verdict.failures]
    lines += [f"  missed: {missed}" for missed in verdict.missed]
    return lines if verdict.failures or verdict.missed else [*lines, "  all is well"]


def _shown(found: float | None, unit: str) -> str:
    if found is None:
        return "unknown"
    if isinstance(found, int):
        return f"{found}{unit}"
    return f"{found:.2f}{unit}" if unit == " s" else f"{found:.0f}{unit}"


__all__ = ("table_lines",)
