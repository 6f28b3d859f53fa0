# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a database endpoint, in words that may be shown to anybody."""

from __future__ import annotations


class DatabaseTroubleError(Exception):
    """An endpoint cannot do what it was asked for.

    The message names no account and no address: it is shown on pages. What the driver said is the cause, for the log.
    """


class UnreachableError(DatabaseTroubleError):
    """No answer, or not in time."""


class ReadOnlyError(DatabaseTroubleError):
    """A server answers and refuses writes."""


class NotMigratedError(DatabaseTroubleError):
    """The table is missing."""


__all__ = ("DatabaseTroubleError", "NotMigratedError", "ReadOnlyError", "UnreachableError")
