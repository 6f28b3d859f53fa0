# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Databases and the accounts that use them: what is there, what should be, and the changes between."""

from __future__ import annotations

import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from .errors import RefusedError
from .heartbeat import HEARTBEAT_TABLE, heartbeat_table
from .scopes import scope_sql, split_scope
from .session import Statement, quote_identifier

if t.TYPE_CHECKING:
    import collections.abc as c

    from .engines.base import Dialect

CANARY_TABLE = "canary"

_SYSTEM_ACCOUNTS = frozenset(
    {"", "root", "mysql", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "debian-sys-maint", "PUBLIC"}
)
_PRIVILEGE = re.compile(r"[A-Z][A-Z_ ]*")
_PATTERN = frozenset("%_/")
_DATABASE_DEFAULT = "utf8mb4"

Privileges = dict[str, frozenset[str]]
"""Privileges by what they are for: C(*.*), C(database.*) or C(database.table)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A schema that shall exist."""

    name: str
    charset: str = _DATABASE_DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that shall exist at exactly these hosts with exactly these rights, or nowhere."""

    name: str
    hosts: frozenset[str]
    password: str = field(repr=False, default="")
    """Empty for an account that logs in without one."""
    privileges: Privileges
    tls_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """An account at one host as the server has it."""

    plugin: str
    stored: bytes = field(repr=False)
    retained: bool = False
    """The password before this one gets in as well."""
    tls_required: bool
    privileges: Privileges


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Everything that one run shall bring about."""

    databases: tuple[Database, ...] = ()
    canary_database: str | None = None
    accounts: tuple[Account, ...] = ()
    old_passwords_kept: bool = False
    """A password that is replaced goes on getting in, until a later run ends that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the server has of it."""

    charsets: dict[str, str]
    canary_tables: frozenset[str] = frozenset()
    accounts: dict[tuple[str, str], Existing]


@dataclass(frozen=True, slots=True)
class Change:
    """One statement and what it does, in words without secrets."""

    description: str
    statement: Statement
    locks_out: tuple[str, str] | None = None
    """User and pattern of hosts whose open connections end with it: an account that is gone lets nobody stay."""


def checked(wanted: Wanted) -> Wanted:
    """Refuse what would be dangerous or could not be converged."""
    names = [account.name for account in wanted.accounts]
    for account in wanted.accounts:
        if account.name in _SYSTEM_ACCOUNTS:
            raise RefusedError(f"The account {account.name!r} belongs to the server: use another name")
        if names.count(account.name) > 1:
            raise RefusedError(f"The account {account.name} is listed twice: give it all its hosts in one entry")
        granted = sorted(name for names_of in account.privileges.values() for name in names_of)
        if not account.password:
            _harmless(account, wanted.canary_database)
        for name in granted:
            if not _PRIVILEGE.fullmatch(name) or name.startswith("ALL"):
                raise RefusedError(f"{name!r} of the account {account.name} is not one privilege: name each of them")
        for scope in account.privileges:
            split_scope(scope)
    return wanted


def _harmless(account: Account, canary_database: str | None) -> None:
    """Let an account without a password read how old the heartbeat is, and nothing else."""
    readable = f"{canary_database}.{HEARTBEAT_TABLE}"
    beyond = sorted(
        f"{name} on {scope}"
        for scope, names in account.privileges.items()
        for name in names
        if canary_database is None or (scope, name) != (readable, "SELECT")
    )
    if beyond:
        raise RefusedError(f"The account {account.name} would have {', '.join(beyond)} without a password: give it one")


def privileges_of(dialect: Dialect, entries: c.Iterable[tuple[str, c.Iterable[str]]]) -> Privileges:
    """Join the wanted privileges by what they are for, in the engine's own names."""
    joined: dict[str, frozenset[str]] = defaultdict(frozenset)
    for scope, names in entries:
        joined[scope] = joined[scope].union(*(dialect.privileges(name.strip().upper()) for name in names))
    return dict(joined)


def plan_changes(dialect: Dialect, found: Found, wanted: Wanted) -> list[Change]:
    """Return what has to be done, in order."""
    changes = [change for database in wanted.databases for change in _database(found, database)]
    if wanted.canary_database is not None:
        if wanted.canary_database not in {*found.charsets, *(database.name for database in wanted.databases)}:
            changes += _database(found, Database(name=wanted.canary_database))
        changes += _canary(found, wanted.canary_database)
    for account in wanted.accounts:
        changes += _account(dialect, found, account, kept=wanted.old_passwords_kept)
    return changes


def two_passwords(dialect: Dialect, found: Found, wanted: Wanted) -> list[str]:
    """Name the accounts that two passwords will get into once the changes are made."""
    return [
        f"{account.name}@{host}"
        for account in wanted.accounts
        for host in sorted(account.hosts)
        if wanted.old_passwords_kept
        and (existing := found.accounts.get((account.name, host))) is not None
        and (existing.retained or _rotates(dialect, existing, account))
    ]


def _database(found: Found, database: Database) -> list[Change]:
    current = found.charsets.get(database.name)
    if current == database.charset:
        return []
    verb, word = ("CREATE", "create") if current is None else ("ALTER", "set the character set of")
    charset = _charset(database.charset)
    statement = Statement(f"{verb} DATABASE {quote_identifier(database.name)} CHARACTER SET = {charset}")
    return [Change(f"{word} the database {database.name} ({database.charset})", statement)]


def _canary(found: Found, database: str) -> list[Change]:
    table = f"{quote_identifier(database)}.{quote_identifier(CANARY_TABLE)}"
    canary = Statement(
        f"CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, token VARCHAR(64) NOT NULL,"
        " written_at DATETIME(6) NOT NULL) ENGINE=InnoDB"
    )
    tables = {CANARY_TABLE: canary, HEARTBEAT_TABLE: heartbeat_table(database)}
    return [
        Change(f"create the table {database}.{name}", statement)
        for name, statement in tables.items()
        if name not in found.canary_tables
    ]


def _account(dialect: Dialect, found: Found, account: Account, *, kept: bool) -> list[Change]:
    existing = {host: state for (name, host), state in found.accounts.items() if name == account.name}
    changes = [_drop(account, host) for host in sorted(set(existing) - account.hosts)]
    for host in sorted(account.hosts):
        changes += _at_host(dialect, existing.get(host), account, host, kept=kept)
    return changes


def _at_host(dialect: Dialect, existing: Existing | None, account: Account, host: str, *, kept: bool) -> list[Change]:
    who = f"{account.name}@{host}"
    changes = []
    tls = "REQUIRE SSL" if account.tls_required else "REQUIRE NONE"
    if existing is None:
        clause, parameters = dialect.authentication(account.password)
        sql = f"CREATE USER %s@%s {clause} {tls}"
        changes.append(Change(f"create {who}", Statement(sql, (account.name, host, *parameters), secret=True)))
    else:
        changes += _password(dialect, existing, account, host, kept=kept)
        if existing.tls_required != account.tls_required:
            word = "demand TLS of" if account.tls_required else "no longer demand TLS of"
            changes.append(Change(f"{word} {who}", Statement(f"ALTER USER %s@%s {tls}", (account.name, host))))
    return changes + _privileges(account, host, existing.privileges if existing else {})


def _password(dialect: Dialect, existing: Existing, account: Account, host: str, *, kept: bool) -> list[Change]:
    """Replace the password, or end the life of the one before."""
    who = f"{account.name}@{host}"
    if dialect.password_matches(existing.plugin, existing.stored, account.password):
        if not existing.retained or kept:
            return []
        word, (clause, parameters) = f"discard the old password of {who}", dialect.discarding(account.password)
    elif kept and _rotates(dialect, existing, account):
        word = f"set the password of {who}, and keep the old one"
        clause, parameters = dialect.rotation(account.password, existing.stored)
    else:
        word, (clause, parameters) = f"set the password of {who}", dialect.authentication(account.password)
    return [Change(word, Statement(f"ALTER USER %s@%s {clause}", (account.name, host, *parameters), secret=True))]


def _rotates(dialect: Dialect, existing: Existing, account: Account) -> bool:
    """Tell whether the old password can stay: it is another one, and not one of another method."""
    return (
        bool(existing.stored and account.password)
        and existing.plugin == dialect.login_plugin
        and not dialect.password_matches(existing.plugin, existing.stored, account.password)
    )


def _privileges(account: Account, host: str, granted: Privileges) -> list[Change]:
    who = f"{account.name}@{host}"
    changes = []
    for scope in sorted({*granted, *account.privileges}):
        have, want = granted.get(scope, frozenset()), account.privileges.get(scope, frozenset())
        for names, verb, preposition in ((have - want, "REVOKE", "FROM"), (want - have, "GRANT", "TO")):
            if names:
                listed = ", ".join(sorted(names))
                sql = f"{verb} {listed} ON {scope_sql(scope)} {preposition} %s@%s"
                changes.append(
                    Change(
                        f"{verb.lower()} {listed} on {scope} {preposition.lower()} {who}",
                        Statement(sql, (account.name, host)),
                    )
                )
    return changes


def _drop(account: Account, host: str) -> Change:
    """A connection does not say by which pattern it came in, so one that is dropped beside others ends none."""
    statement = Statement("DROP USER %s@%s", (account.name, host))
    everybody = (account.name, "%") if not account.hosts else None
    exact = (account.name, f"{host}:%") if _PATTERN.isdisjoint(host) else None
    return Change(f"drop {account.name}@{host}", statement, everybody or exact)


def _charset(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+", name):
        raise RefusedError(f"{name!r} is not the name of a character set")
    return name


__all__ = (
    "CANARY_TABLE",
    "Account",
    "Change",
    "Database",
    "Existing",
    "Found",
    "Privileges",
    "Wanted",
    "checked",
    "plan_changes",
    "privileges_of",
    "two_passwords",
)
