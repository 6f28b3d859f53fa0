# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The shapes in which the database modules answer."""

from __future__ import annotations

import typing as t

from .._replication.prediction import as_settings
from .._replication.steps import Action

if t.TYPE_CHECKING:
    from .._replication.convergence import Outcome


def outcome_result(outcome: Outcome) -> dict[str, t.Any]:
    """Return the result of a module that has moved a server towards its place."""
    kept = outcome.heartbeat
    before = as_settings(outcome.before, kept)
    # A plan without steps leaves nothing to show, even when the IO thread came up by itself meanwhile.
    after = as_settings(outcome.after, kept.kept if kept else None) if outcome.changed else before
    if any(step.action is Action.FOLLOW for step in outcome.plan.steps):
        # Else a new password would be a change without a difference.
        for settings, password in ((before, "as stored"), (after, "as given")):
            if settings["source"] is not None:
                settings["source"]["password"] = password
    return {
        "changed": outcome.changed,
        "steps": [{"action": step.action.value, "reason": step.reason} for step in outcome.plan.steps],
        "replication": outcome.after.as_result(),
        "diff": {"before": before, "after": after},
    }


__all__ = ("outcome_result",)
