# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""How far a seeding has come: what an interrupted one is continued from, and what forbids the server to start."""

from __future__ import annotations

import dataclasses
import enum
import json
from dataclasses import dataclass


class Phase(enum.Enum):
    """The steps of a seeding, in order. Up to EMPTYING the server on the target is as it was."""

    RECEIVING = "receiving"
    PREPARING = "preparing"
    EMPTYING = "emptying"
    FILLING = "filling"
    STARTING = "starting"
    CLONING = "cloning"
    FINISHING = "finishing"


_WITHOUT_SERVER = frozenset({Phase.EMPTYING, Phase.FILLING})
_FROM_SCRATCH = frozenset({Phase.RECEIVING, Phase.PREPARING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What is known of a seeding that has begun."""

    phase: Phase
    donor: str
    directory: str
    """The server's data directory."""
    aside: str
    """Where its old contents go."""
    keep: bool
    """Whether they stay there."""
    position: str = ""
    history: str = ""
    """All that the copy has, where the position names only the newest of it."""
    event_scheduler: bool = False
    """Whether the server runs events, once none is left that belongs to the donor alone."""

    @property
    def server_forbidden(self) -> bool:
        """Tell whether what stands in the data directory is neither the old data nor the new."""
        return self.phase in _WITHOUT_SERVER

    @property
    def starts_over(self) -> bool:
        """Tell whether nothing of what an interrupted run did is of use."""
        return self.phase in _FROM_SCRATCH

    def at(self, phase: Phase, *, position: str | None = None, history: str | None = None) -> Journal:
        return dataclasses.replace(
            self,
            phase=phase,
            position=self.position if position is None else position,
            history=self.history if history is None else history,
        )

    def to_text(self) -> str:
        return json.dumps({**dataclasses.asdict(self), "phase": self.phase.value}, indent=2) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Journal:
        fields = json.loads(text)
        return cls(**{**fields, "phase": Phase(fields["phase"])})


__all__ = ("Journal", "Phase")
