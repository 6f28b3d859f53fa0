# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What reading binary logs needs of an engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWords:
    """One engine's words."""

    program: str
    """Turns a binary log into statements."""
    package: str
    """Where the program comes from."""
    history_event: str
    """The event at the beginning of a log that lists everything before it."""
    gtid: str
    """Finds the GTID of a transaction, in what is said of its first event and in what the program writes."""
    identity: str
    """Finds the lines that give a replayed transaction the identity that it had; never, where that may stay."""


__all__ = ("LogWords",)
