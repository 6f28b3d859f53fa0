# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What privileges are for: everything, a database or a table."""

from __future__ import annotations

import re

from .errors import RefusedError
from .session import quote_identifier


def split_scope(scope: str) -> tuple[str, str]:
    """Read C(*.*), C(database.*) or C(database.table)."""
    schema, dot, table = scope.rpartition(".")
    if not (dot and schema and table) or (schema == "*" and table != "*"):
        raise RefusedError(f"{scope!r} is not *.*, database.* or database.table")
    return schema, table


def scope_sql(scope: str) -> str:
    """Write it as GRANT reads it."""
    schema, table = split_scope(scope)
    if schema == "*":
        return "*.*"
    if table == "*":
        return f"{quote_identifier(as_pattern(schema))}.*"
    return f"{quote_identifier(schema)}.{quote_identifier(table)}"


def as_pattern(schema: str) -> str:
    r"""Escape what the server reads as wildcards for a whole database: app_db.* would open appXdb as well."""
    return re.sub(r"([_%\\])", r"\\\1", schema)


def without_wildcards(pattern: str) -> str:
    """Read back what as_pattern() wrote."""
    return re.sub(r"\\([_%\\])", r"\1", pattern)


__all__ = ("as_pattern", "scope_sql", "split_scope", "without_wildcards")
