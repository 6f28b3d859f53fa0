# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What the guard says: a line in the journal when it changes, and a metric for as long as it is so."""

from __future__ import annotations

import typing as t

from .._files.textfile import TextfileError, write_textfile
from .._replication.prometheus import family
from .._replication.reopening import Cause, Decision, Open, Stay

if t.TYPE_CHECKING:
    import collections.abc as c

_METRIC = "webinfra_primary_guard_closed"


class Report:
    """Tells each decision once, however often it is made."""

    def __init__(self, textfile: str | None, say: c.Callable[[str], None]) -> None:
        self._textfile = textfile
        self._say = say
        self._told: Decision | None = None

    def tell(self, decision: Decision) -> None:
        if decision == self._told:
            return
        self._told = decision
        self._say(_words(decision))
        self._leave(metrics(decision))

    def _leave(self, text: str) -> None:
        """Write the file; a host without a collector must not keep its database closed."""
        if self._textfile is None:
            return
        try:
            write_textfile(self._textfile, text)
        except TextfileError as exc:
            self._say(str(exc))


def metrics(decision: Decision) -> str:
    """Write the decision as text; a cause that is gone says 0, so that an alert on it ends."""
    cause = decision.cause if isinstance(decision, Stay) else None
    words = "Whether this server stays closed for writes and follows nobody, by the reason."
    return family(_METRIC, words, [({"reason": each.value}, each is cause) for each in Cause])


def _words(decision: Decision) -> str:
    if isinstance(decision, Stay):
        return f"Closed ({decision.cause.value}): {decision}"
    return f"Opening: {decision.reason}" if isinstance(decision, Open) else f"Done: {decision.reason}"


__all__ = ("Report", "metrics")
