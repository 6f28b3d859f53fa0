# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a server has of the databases and accounts that somebody wants."""

from __future__ import annotations

import dataclasses
import typing as t
from collections import defaultdict

from .accounts import Existing, Found
from .scopes import without_wildcards
from .session import Row, Statement

if t.TYPE_CHECKING:
    from .accounts import Privileges, Wanted
    from .session import Session


def read_found(session: Session, wanted: Wanted) -> Found:
    """Ask the server for all that the wanted state speaks of."""
    names = tuple(account.name for account in wanted.accounts)
    schemas = {str(row["name"]): str(row["charset"]) for row in session.query(_READ_SCHEMAS)}
    tables: list[Row] = []
    if wanted.canary_database is not None:
        tables = session.query(dataclasses.replace(_READ_TABLES, parameters=(wanted.canary_database,)))
    return Found(
        charsets=schemas,
        canary_tables=frozenset(str(row["name"]) for row in tables),
        accounts=_read_accounts(session, names) if names else {},
    )


_READ_SCHEMAS = Statement(
    "SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset FROM information_schema.SCHEMATA"
)
_READ_TABLES = Statement("SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s")
_READ_PRIVILEGES = (
    "SELECT GRANTEE AS grantee, '*' AS on_schema, '*' AS on_table, PRIVILEGE_TYPE AS privilege,"
    " IS_GRANTABLE AS grantable FROM information_schema.USER_PRIVILEGES WHERE GRANTEE IN ({marks})"
    " UNION ALL SELECT GRANTEE, TABLE_SCHEMA, '*', PRIVILEGE_TYPE, IS_GRANTABLE"
    " FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE IN ({marks})"
    " UNION ALL SELECT GRANTEE, TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE, IS_GRANTABLE"
    " FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE IN ({marks})"
)


def _read_accounts(session: Session, names: tuple[str, ...]) -> dict[tuple[str, str], Existing]:
    rows = session.query(Statement(session.dialect.read_accounts.format(marks=_marks(names)), names))
    granted = _read_privileges(session, rows)
    return {
        (row["name"], row["host"]): Existing(
            plugin=row["plugin"],
            stored=bytes.fromhex(row["stored_hash"] or ""),
            retained=bool(row["retained"]),
            tls_required=bool(row["ssl_type"]),
            privileges=granted.get(_grantee(row), {}),
        )
        for row in rows
    }


def _read_privileges(session: Session, accounts: list[Row]) -> dict[str, Privileges]:
    if not accounts:
        return {}
    grantees = tuple(_grantee(row) for row in accounts)
    statement = Statement(_READ_PRIVILEGES.format(marks=_marks(grantees)), grantees * 3)
    granted: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in session.query(statement):
        schema = row["on_schema"] if row["on_table"] != "*" else without_wildcards(row["on_schema"])
        scope = granted[row["grantee"]][f"{schema}.{row['on_table']}"]
        scope.add(row["privilege"])
        if row["grantable"] == "YES":
            scope.add("GRANT OPTION")
    return {
        grantee: {scope: frozenset(names - {"USAGE"}) for scope, names in scopes.items() if names - {"USAGE"}}
        for grantee, scopes in granted.items()
    }


def _grantee(row: Row) -> str:
    return f"'{row['name']}'@'{row['host']}'"


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join(["%s"] * len(values))


__all__ = ("read_found",)
