# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a finding is."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.Enum):
    """How bad a finding is."""

    CRITICAL = "critical"
    """Writes fail, data diverges, or the next failure of a server loses data."""
    WARNING = "warning"
    """It works, and not as it should."""

    def reaches(self, limit: Severity) -> bool:
        """Tell whether this is as bad as a limit."""
        return self is Severity.CRITICAL or limit is Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, why, and what to do."""

    name: str
    severity: Severity
    server: str
    reason: str
    action: str

    def as_result(self) -> dict[str, str]:
        return {
            "name": self.name,
            "severity": self.severity.value,
            "server": self.server,
            "reason": self.reason,
            "action": self.action,
        }

    def __str__(self) -> str:
        return f"{self.server}: {self.name} ({self.severity.value}): {self.reason}. What to do: {self.action}"


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule has seen: where, and why it is one."""

    server: str
    reason: str
    action: str | None = None
    """Where the rule's own advice does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is asked of a topology."""

    primary: str | None = None
    max_lag: int
    tls_required: bool = True
    semi_sync_required: bool = False
    max_clock_skew: float = 5.0
    max_heartbeat_age: float | None = None
    """Without it nobody has to write a heartbeat."""
    longest_outage: int | None = None
    """For how many seconds a replica may be away and still find what it missed."""
    canary_target: float | None = None


__all__ = ("Case", "Finding", "Policy", "Severity")
