# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a seeding is, in a line for those who look on."""

from __future__ import annotations

from dataclasses import dataclass, field

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the host has said of it."""

    phase: str
    done: int
    total: int
    moment: float = field(compare=False)


def progress_line(host: str, progress: Progress, before: Progress | None) -> str:
    """Say how far it is, and how fast it goes."""
    if not progress.total:
        return f"  {host}: {progress.phase}"
    share = min(progress.done / progress.total, 1)
    line = f"  {host}: {progress.phase} {progress.done // _MEBIBYTE} of {progress.total // _MEBIBYTE} MiB ({share:.0%})"
    if before is None or before.phase != progress.phase or progress.moment <= before.moment:
        return line
    speed = (progress.done - before.done) / (progress.moment - before.moment) / _MEBIBYTE
    return f"{line}, {speed:.0f} MiB/s"


__all__ = ("Progress", "progress_line")
