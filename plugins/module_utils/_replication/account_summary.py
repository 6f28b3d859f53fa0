# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Databases and accounts before and after a run, for a diff that shows no secret."""

from __future__ import annotations

import typing as t

from .accounts import CANARY_TABLE
from .heartbeat import HEARTBEAT_TABLE

if t.TYPE_CHECKING:
    from .accounts import Account, Existing, Found, Wanted
    from .engines.base import Dialect


def as_summary(found: Found, wanted: Wanted) -> dict[str, t.Any]:
    """Return what is there of the wanted things, for a diff."""
    names = {database.name for database in wanted.databases}
    return {
        "databases": {name: charset for name, charset in sorted(found.charsets.items()) if name in names},
        "canary_table": CANARY_TABLE in found.canary_tables,
        "heartbeat_table": HEARTBEAT_TABLE in found.canary_tables,
        "accounts": {
            f"{name}@{host}": {
                "tls_required": existing.tls_required,
                "password": _stored_word(existing),
                "privileges": {scope: sorted(granted) for scope, granted in sorted(existing.privileges.items())},
            }
            for (name, host), existing in sorted(found.accounts.items())
        },
    }


def as_wanted_summary(dialect: Dialect, found: Found, wanted: Wanted) -> dict[str, t.Any]:
    """Return what will be there once the changes are made, in the shape of as_summary()."""
    summary = as_summary(found, wanted)
    summary["databases"] = {database.name: database.charset for database in wanted.databases}
    for table in ("canary_table", "heartbeat_table"):
        summary[table] = wanted.canary_database is not None or summary[table]
    summary["accounts"] = {
        f"{account.name}@{host}": {
            "tls_required": account.tls_required,
            "password": _password_word(dialect, found.accounts.get((account.name, host)), account, wanted),
            "privileges": {scope: sorted(names) for scope, names in sorted(account.privileges.items()) if names},
        }
        for account in sorted(wanted.accounts, key=lambda account: account.name)
        for host in sorted(account.hosts)
    }
    return summary


def _stored_word(existing: Existing) -> str:
    if existing.retained:
        return "set, and the old one"
    return "set" if existing.stored else "none"


def _password_word(dialect: Dialect, existing: Existing | None, account: Account, wanted: Wanted) -> str:
    if not account.password:
        return "none"
    if existing is None:
        return "set"
    if dialect.password_matches(existing.plugin, existing.stored, account.password):
        return _stored_word(existing) if wanted.old_passwords_kept else "set"
    return "set anew, and the old one" if wanted.old_passwords_kept else "set anew"


__all__ = ("as_summary", "as_wanted_summary")
