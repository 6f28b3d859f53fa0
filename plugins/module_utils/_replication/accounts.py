# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Databases and the accounts that use them: what is there, what should be, and the changes between."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from .errors import RefusedError
from .session import Row, Session, Statement, quote_identifier

if t.TYPE_CHECKING:
    import collections.abc as c

    from .engines.base import Dialect

CANARY_TABLE = "canary"

_SYSTEM_ACCOUNTS = frozenset(
    {"", "root", "mysql", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "debian-sys-maint", "PUBLIC"}
)
_PRIVILEGE = re.compile(r"[A-Z][A-Z_ ]*")
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
    tls_required: bool
    privileges: Privileges


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Everything that one run shall bring about."""

    databases: tuple[Database, ...] = ()
    canary_database: str | None = None
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the server has of it."""

    charsets: dict[str, str]
    canary_exists: bool
    accounts: dict[tuple[str, str], Existing]


@dataclass(frozen=True, slots=True)
class Change:
    """One statement and what it does, in words without secrets."""

    description: str
    statement: Statement


def checked(wanted: Wanted) -> Wanted:
    """Refuse what would be dangerous or could not be converged."""
    names = [account.name for account in wanted.accounts]
    for account in wanted.accounts:
        if account.name in _SYSTEM_ACCOUNTS:
            raise RefusedError(f"The account {account.name!r} belongs to the server: use another name")
        if names.count(account.name) > 1:
            raise RefusedError(f"The account {account.name} is listed twice: give it all its hosts in one entry")
        granted = sorted(name for names_of in account.privileges.values() for name in names_of)
        if granted and not account.password:
            raise RefusedError(
                f"The account {account.name} would have {', '.join(granted)} without a password: give it one"
            )
        for name in granted:
            if not _PRIVILEGE.fullmatch(name) or name.startswith("ALL"):
                raise RefusedError(f"{name!r} of the account {account.name} is not one privilege: name each of them")
        for scope in account.privileges:
            _split(scope)
    return wanted


def privileges_of(dialect: Dialect, entries: c.Iterable[tuple[str, c.Iterable[str]]]) -> Privileges:
    """Join the wanted privileges by what they are for, in the engine's own names."""
    joined: dict[str, frozenset[str]] = defaultdict(frozenset)
    for scope, names in entries:
        joined[scope] = joined[scope].union(*(dialect.privileges(name.strip().upper()) for name in names))
    return dict(joined)


def read_found(session: Session, wanted: Wanted) -> Found:
    """Ask the server for all that the wanted state speaks of."""
    names = tuple(account.name for account in wanted.accounts)
    schemas = {str(row["name"]): str(row["charset"]) for row in session.query(_READ_SCHEMAS)}
    canary = wanted.canary_database is not None and bool(
        session.query(dataclasses.replace(_READ_TABLE, parameters=(wanted.canary_database, CANARY_TABLE)))
    )
    return Found(charsets=schemas, canary_exists=canary, accounts=_read_accounts(session, names) if names else {})


def plan_changes(dialect: Dialect, found: Found, wanted: Wanted) -> list[Change]:
    """Return what has to be done, in order."""
    changes = [change for database in wanted.databases for change in _database(found, database)]
    if wanted.canary_database is not None and not found.canary_exists:
        if wanted.canary_database not in {*found.charsets, *(database.name for database in wanted.databases)}:
            changes += _database(found, Database(name=wanted.canary_database))
        changes.append(_canary_table(wanted.canary_database))
    for account in wanted.accounts:
        changes += _account(dialect, found, account)
    return changes


def as_summary(found: Found, wanted: Wanted) -> dict[str, t.Any]:
    """Return what is there of the wanted things, for a diff."""
    names = {database.name for database in wanted.databases}
    return {
        "databases": {name: charset for name, charset in sorted(found.charsets.items()) if name in names},
        "canary_table": found.canary_exists,
        "accounts": {
            f"{name}@{host}": {
                "tls_required": existing.tls_required,
                "password": "set" if existing.stored else "none",
                "privileges": {scope: sorted(granted) for scope, granted in sorted(existing.privileges.items())},
            }
            for (name, host), existing in sorted(found.accounts.items())
        },
    }


def as_wanted_summary(dialect: Dialect, found: Found, wanted: Wanted) -> dict[str, t.Any]:
    """Return what will be there once the changes are made, in the shape of as_summary()."""
    summary = as_summary(found, wanted)
    summary["databases"] = {database.name: database.charset for database in wanted.databases}
    summary["canary_table"] = wanted.canary_database is not None or found.canary_exists
    summary["accounts"] = {
        f"{account.name}@{host}": {
            "tls_required": account.tls_required,
            "password": _password_word(dialect, found.accounts.get((account.name, host)), account),
            "privileges": {scope: sorted(names) for scope, names in sorted(account.privileges.items()) if names},
        }
        for account in sorted(wanted.accounts, key=lambda account: account.name)
        for host in sorted(account.hosts)
    }
    return summary


_READ_SCHEMAS = Statement(
    "SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS charset FROM information_schema.SCHEMATA"
)
_READ_TABLE = Statement("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s")
_READ_ACCOUNTS = (
    "SELECT User AS name, Host AS host, plugin AS plugin, HEX(authentication_string) AS stored_hash,"
    " ssl_type AS ssl_type FROM mysql.user WHERE User IN ({marks})"
)
_READ_PRIVILEGES = (
    "SELECT GRANTEE AS grantee, '*' AS on_schema, '*' AS on_table, PRIVILEGE_TYPE AS privilege,"
    " IS_GRANTABLE AS grantable FROM information_schema.USER_PRIVILEGES WHERE GRANTEE IN ({marks})"
    " UNION ALL SELECT GRANTEE, TABLE_SCHEMA, '*', PRIVILEGE_TYPE, IS_GRANTABLE"
    " FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE IN ({marks})"
    " UNION ALL SELECT GRANTEE, TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE, IS_GRANTABLE"
    " FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE IN ({marks})"
)


def _read_accounts(session: Session, names: tuple[str, ...]) -> dict[tuple[str, str], Existing]:
    rows = session.query(Statement(_READ_ACCOUNTS.format(marks=_marks(names)), names))
    granted = _read_privileges(session, rows)
    return {
        (row["name"], row["host"]): Existing(
            plugin=row["plugin"],
            stored=bytes.fromhex(row["stored_hash"] or ""),
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
        schema = row["on_schema"] if row["on_table"] != "*" else _without_wildcards(row["on_schema"])
        scope = granted[row["grantee"]][f"{schema}.{row['on_table']}"]
        scope.add(row["privilege"])
        if row["grantable"] == "YES":
            scope.add("GRANT OPTION")
    return {
        grantee: {scope: frozenset(names - {"USAGE"}) for scope, names in scopes.items() if names - {"USAGE"}}
        for grantee, scopes in granted.items()
    }


def _database(found: Found, database: Database) -> list[Change]:
    current = found.charsets.get(database.name)
    if current == database.charset:
        return []
    verb, word = ("CREATE", "create") if current is None else ("ALTER", "set the character set of")
    charset = _charset(database.charset)
    statement = Statement(f"{verb} DATABASE {quote_identifier(database.name)} CHARACTER SET = {charset}")
    return [Change(f"{word} the database {database.name} ({database.charset})", statement)]


def _canary_table(database: str) -> Change:
    table = f"{quote_identifier(database)}.{quote_identifier(CANARY_TABLE)}"
    statement = Statement(
        f"CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, token VARCHAR(64) NOT NULL,"
        " written_at DATETIME(6) NOT NULL) ENGINE=InnoDB"
    )
    return Change(f"create the table {database}.{CANARY_TABLE}", statement)


def _account(dialect: Dialect, found: Found, account: Account) -> list[Change]:
    existing = {host: state for (name, host), state in found.accounts.items() if name == account.name}
    changes = [_drop(account.name, host) for host in sorted(set(existing) - account.hosts)]
    for host in sorted(account.hosts):
        changes += _at_host(dialect, existing.get(host), account, host)
    return changes


def _at_host(dialect: Dialect, existing: Existing | None, account: Account, host: str) -> list[Change]:
    who = f"{account.name}@{host}"
    changes = []
    clause, parameters = dialect.authentication(account.password)
    tls = "REQUIRE SSL" if account.tls_required else "REQUIRE NONE"
    if existing is None:
        sql = f"CREATE USER %s@%s {clause} {tls}"
        changes.append(Change(f"create {who}", Statement(sql, (account.name, host, *parameters), secret=True)))
    else:
        if not dialect.password_matches(existing.plugin, existing.stored, account.password):
            statement = Statement(f"ALTER USER %s@%s {clause}", (account.name, host, *parameters), secret=True)
            changes.append(Change(f"set the password of {who}", statement))
        if existing.tls_required != account.tls_required:
            word = "demand TLS of" if account.tls_required else "no longer demand TLS of"
            changes.append(Change(f"{word} {who}", Statement(f"ALTER USER %s@%s {tls}", (account.name, host))))
    return changes + _privileges(account, host, existing.privileges if existing else {})


def _privileges(account: Account, host: str, granted: Privileges) -> list[Change]:
    who = f"{account.name}@{host}"
    changes = []
    for scope in sorted({*granted, *account.privileges}):
        have, want = granted.get(scope, frozenset()), account.privileges.get(scope, frozenset())
        for names, verb, preposition in ((have - want, "REVOKE", "FROM"), (want - have, "GRANT", "TO")):
            if names:
                listed = ", ".join(sorted(names))
                sql = f"{verb} {listed} ON {_scope_sql(scope)} {preposition} %s@%s"
                changes.append(
                    Change(
                        f"{verb.lower()} {listed} on {scope} {preposition.lower()} {who}",
                        Statement(sql, (account.name, host)),
                    )
                )
    return changes


def _drop(name: str, host: str) -> Change:
    return Change(f"drop {name}@{host}", Statement("DROP USER %s@%s", (name, host)))


def _split(scope: str) -> tuple[str, str]:
    schema, dot, table = scope.rpartition(".")
    if not (dot and schema and table) or (schema == "*" and table != "*"):
        raise RefusedError(f"{scope!r} is not *.*, database.* or database.table")
    return schema, table


def _scope_sql(scope: str) -> str:
    schema, table = _split(scope)
    if schema == "*":
        return "*.*"
    if table == "*":
        # Here the server reads _ and % as wildcards: app_db.* would open appXdb as well.
        escaped = re.sub(r"([_%\\])", r"\\\1", schema)
        return f"{quote_identifier(escaped)}.*"
    return f"{quote_identifier(schema)}.{quote_identifier(table)}"


def _without_wildcards(pattern: str) -> str:
    return re.sub(r"\\([_%\\])", r"\1", pattern)


def _password_word(dialect: Dialect, existing: Existing | None, account: Account) -> str:
    if not account.password:
        return "none"
    if existing is None or dialect.password_matches(existing.plugin, existing.stored, account.password):
        return "set"
    return "set anew"


def _grantee(row: Row) -> str:
    return f"'{row['name']}'@'{row['host']}'"


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join(["%s"] * len(values))


def _charset(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+", name):
        raise RefusedError(f"{name!r} is not the name of a character set")
    return name


__all__ = (
    "Account",
    "Change",
    "Database",
    "Existing",
    "Found",
    "Privileges",
    "Wanted",
    "as_summary",
    "as_wanted_summary",
    "checked",
    "plan_changes",
    "privileges_of",
    "read_found",
)
