# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Switching the server's scheduled events on and off."""

from __future__ import annotations

from .session import Statement, quote_identifier


def altered(schema: str, name: str, definer: str, change: str) -> Statement:
    """Change an event and name its definer, as information_schema has it: without that it becomes this account's.

    An event runs with the rights of its definer, and this account may write where nobody should.
    """
    user, _at, host = definer.rpartition("@")
    event = f"{quote_identifier(schema)}.{quote_identifier(name)}"
    return Statement(f"ALTER DEFINER = %s@%s EVENT {event} {change}", (user, host))


__all__ = ("altered",)
