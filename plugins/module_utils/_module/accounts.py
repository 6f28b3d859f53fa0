# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""From the options of a module to databases and accounts on a server."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._replication.account_reading import read_found
from .._replication.account_summary import as_summary, as_wanted_summary
from .._replication.accounts import (
    Account,
    Change,
    Database,
    Wanted,
    checked,
    plan_changes,
    privileges_of,
    two_passwords,
)
from .._replication.errors import RefusedError
from .._replication.moves.transactions import cut
from .._replication.session import Statement

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.engines.base import Dialect
    from .._replication.session import Session
    from .._replication.status import ServerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsOutcome:
    """What was changed, in words without secrets."""

    changes: tuple[Change, ...]
    before: dict[str, t.Any]
    after: dict[str, t.Any]
    warning: str | None
    two_passwords: tuple[str, ...] = ()

    def as_result(self) -> dict[str, t.Any]:
        return {
            "changed": bool(self.changes),
            "changes": [change.description for change in self.changes],
            "two_passwords": list(self.two_passwords),
            "diff": {"before": self.before, "after": self.after},
        }


def converge_accounts(session: Session, params: c.Mapping[str, t.Any], *, check_mode: bool) -> AccountsOutcome:
    """Bring databases and accounts to the wanted state, on a server that takes writes."""
    wanted = checked(_wanted(session.dialect, params))
    problem = _unwritable(session.dialect.read_status(session))
    if problem is not None and not check_mode:
        raise RefusedError(problem)
    found = read_found(session, wanted)
    changes = plan_changes(session.dialect, found, wanted)
    if not check_mode:
        for change in changes:
            session.query(change.statement)
            if change.locks_out is not None:
                cut(session, _connections(session, *change.locks_out))
    return AccountsOutcome(
        changes=tuple(changes),
        before=as_summary(found, wanted),
        after=as_wanted_summary(session.dialect, found, wanted),
        warning=problem,
        two_passwords=tuple(two_passwords(session.dialect, found, wanted)),
    )


def _connections(session: Session, user: str, hosts: str) -> list[int]:
    return [int(row["id"]) for row in session.query(Statement(session.dialect.sessions_of, (user, hosts)))]


def _unwritable(status: ServerStatus) -> str | None:
    if status.link is not None:
        return (
            f"It follows {status.link.endpoint}: a change here would be lost or break replication. "
            "Run this on the primary, from where it is replicated"
        )
    if status.read_only:
        return "It takes no writes (read_only). Open it with webinfra.stack.replication state=primary first"
    return None


def _wanted(dialect: Dialect, params: c.Mapping[str, t.Any]) -> Wanted:
    return Wanted(
        databases=tuple(Database(name=item["name"], charset=item["charset"]) for item in params["databases"]),
        canary_database=params["canary_database"],
        accounts=tuple(_account(dialect, item) for item in params["accounts"]),
        old_passwords_kept=params["old_passwords"] == "keep",
    )


def _account(dialect: Dialect, item: c.Mapping[str, t.Any]) -> Account:
    present = item["state"] == "present"
    if present and not item["hosts"]:
        raise RefusedError(f"The account {item['name']} has no hosts: list where it may log in from")
    return Account(
        name=item["name"],
        hosts=frozenset(item["hosts"]) if present else frozenset(),
        password=item["password"] or "",
        privileges=privileges_of(dialect, ((entry["object"], entry["grant"]) for entry in item["privileges"])),
        tls_required=item["tls_required"],
    )


__all__ = ("AccountsOutcome", "converge_accounts")
