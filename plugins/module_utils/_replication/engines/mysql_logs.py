# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MySQL's words for reading binary logs."""

from __future__ import annotations

from ..rejoining.words import LogWords

LOGS = LogWords(
    program="mysqlbinlog",
    package="mysql-server-core",
    history_event="Previous_gtids",
    gtid=r"GTID_NEXT= '([0-9a-f-]{36}:(?:[a-z_][a-z0-9_]*:)?\d+)'",
    # With the number that it had, a transaction that is replayed twice is executed once.
    identity=r"(?!)",
)

__all__ = ("LOGS",)
