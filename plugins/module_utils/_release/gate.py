# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Whether what answers is healthy, and the release that was meant."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

PATIENCE_WITH_RESTARTS = 2
"""So often a unit may end by itself while it is waited for; more often, it never comes up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the health path has to say."""

    release: str
    header: str

    def complaint(self, headers: c.Mapping[str, str]) -> str:
        """Return what is wrong with a healthy answer, empty for nothing."""
        if not self.header:
            return ""
        answered = headers.get(self.header.lower(), "")
        if answered == self.release:
            return ""
        return f"healthy, but {self.header} says {answered or 'nothing'} instead of {self.release}"


def gives_up(restarts: int) -> bool:
    """Tell whether systemd had to start the unit again so often that waiting is of no use."""
    return restarts >= PATIENCE_WITH_RESTARTS


__all__ = ("Gate", "gives_up")
