# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""How a seeding can fail; every text says what is left behind and what to do."""

from __future__ import annotations

from .._replication.errors import DatabaseError


class SeedingFailedError(DatabaseError):
    """The seeding ended without a seeded server."""


class ChannelError(DatabaseError):
    """The encrypted channel between donor and target could not be made, or broke."""


__all__ = ("ChannelError", "SeedingFailedError")
