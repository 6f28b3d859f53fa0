# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What moving the primary needs of an engine beyond what makes a replica."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveWords:
    """One engine's statements."""

    receive_no_more: str
    forget_source: str
    closed: str
    """Asks whether nobody but replication can write, as C(closed)."""
    clients: str
    """Asks for the connections of clients, as C(id), without those of this account and of replicas."""
    transactions: str
    """Asks for clients' transactions that have written, with their age as C(seconds)."""


__all__ = ("MoveWords",)
