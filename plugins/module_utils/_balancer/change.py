# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Take a server out of a pool or put it back: what that comes to, or why it is refused."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .pool import GREATEST_WEIGHT, Override, Overrides, ServerState

if t.TYPE_CHECKING:
    import collections.abc as c

    from .status import ServerStatus


class ChangeRefusedError(Exception):
    """Nothing was changed; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is set afterwards, and whether that is something else."""

    overrides: Overrides
    needed: bool
    takes_out: bool
    """Whether the server shall get no new requests."""


def plan_change(
    statuses: c.Sequence[ServerStatus], overrides: Overrides, name: str, wanted: Override, *, force: bool
) -> Change:
    """Refuse what would leave nobody to answer."""
    if wanted.weight is not None and not 0 <= wanted.weight <= GREATEST_WEIGHT:
        raise ChangeRefusedError(f"weight: {wanted.weight} is not between 0 and {GREATEST_WEIGHT}. Nothing was changed")
    present = next(status for status in statuses if status.server.name == name)
    weight = present.server.weight if wanted.weight is None else wanted.weight
    takes_out = wanted.state is not ServerState.READY or weight == 0
    is_out = present.state is not ServerState.READY or present.weight == 0
    others = [status.server.name for status in statuses if status is not present and status.gets_requests]
    if takes_out and not is_out and not others and not force:
        raise ChangeRefusedError(
            f"No other server would answer: {_words(statuses, name)}. Nothing was changed. What to do: bring another "
            "one back first; force=true takes out the last one as well, and every request is answered with an error"
        )
    known = {status.server.name for status in statuses}
    kept = Overrides({server: override for server, override in overrides.items() if server in known})
    set_already = wanted.same_effect_as(overrides.get(name)) or (wanted.changes_nothing and name not in overrides)
    running_already = (present.state, present.weight) == (wanted.state, weight)
    return Change(
        overrides=kept if set_already else kept.with_override(name, wanted),
        needed=not (set_already and running_already),
        takes_out=takes_out,
    )


def _words(statuses: c.Sequence[ServerStatus], name: str) -> str:
    others = [status for status in statuses if status.server.name != name]
    if not others:
        return f"{name} is the only one"
    return ", ".join(f"{status.server.name} is {_why_idle(status)}" for status in others)


def _why_idle(status: ServerStatus) -> str:
    if status.state is not ServerState.READY:
        return f"in {status.state.value}"
    return "down" if status.up is False else f"of weight {status.weight}"


__all__ = ("Change", "ChangeRefusedError", "plan_change")
