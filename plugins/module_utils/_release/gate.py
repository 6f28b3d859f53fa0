# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Whether what answers is healthy, and the release that was meant."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c


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


__all__ = ("Gate",)
