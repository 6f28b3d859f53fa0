# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of Ansible as the holder of a lock: which process it is, and whether that still lives."""

from __future__ import annotations

import os
import re
from pathlib import Path

_HOLDER = re.compile(r"(?P<machine>\S+):(?P<process>[0-9]+):(?P<started>[0-9]*)")
PROC = Path("/proc")


def holder_of(process: int, proc: Path = PROC) -> str:
    """Name a process so that no other one, here or elsewhere, now or after a reboot, has the same name."""
    return f"{_machine(proc)}:{process}:{_started(process, proc)}"


def is_dead(holder: str, proc: Path = PROC) -> bool:
    """Tell whether the holder was a process of this machine that has ended; of others nothing is known."""
    found = _HOLDER.fullmatch(holder)
    if not found or found["machine"] != _machine(proc):
        return False
    return _started(int(found["process"]), proc) != found["started"]


def _machine(proc: Path) -> str:
    """Return this machine since its last start, or just its name where the system does not tell more."""
    try:
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return os.uname().nodename


def _started(process: int, proc: Path) -> str:
    """Return when a process was started, in ticks since the machine was; empty where there is none. Rule: proc(5)."""
    try:
        text = (proc / str(process) / "stat").read_text()
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    # A process that has ended and that nobody has asked for does nothing more.
    return "" if fields[0] in {"Z", "X"} else fields[19]


__all__ = ("holder_of", "is_dead")
