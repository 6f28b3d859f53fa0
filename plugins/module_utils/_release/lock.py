# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Who deploys, so that nobody else does."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployLock:
    holder: str
    """The process on the controller that holds it."""
    verb: str = ""
    requested_by: str = ""
    reason: str = ""
    since: str = ""

    @classmethod
    def from_text(cls, text: str) -> DeployLock:
        """Return the lock; what is no lock any more is held by nobody who is known, and is told as it is."""
        try:
            fields = json.loads(text)
            return cls(**{field.name: str(fields.get(field.name) or "") for field in dataclasses.fields(cls)})
        except (ValueError, TypeError, AttributeError):
            return cls(holder="", reason="its file cannot be read")

    def to_text(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False) + "\n"

    def as_result(self) -> dict[str, str]:
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"{self.requested_by or 'somebody'}: {self.verb or 'deploy'}{why}, since {self.since or 'an unknown time'}"
        )


__all__ = ("DeployLock",)
