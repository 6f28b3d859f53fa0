# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.account_reading import read_found
from ansible_collections.webinfra.stack.plugins.module_utils._replication.account_summary import (
    as_summary,
    as_wanted_summary,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.accounts import (
    Account,
    Change,
    Database,
    Found,
    Wanted,
    checked,
    plan_changes,
    privileges_of,
    two_passwords,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import RefusedError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import quote_identifier
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import ENGINES, dialect, session

every_engine = pytest.mark.parametrize("engine", ENGINES)

# The recorded servers were given these by the same module.
PASSWORD = "a'\"\\%s{} x`;-- z"


def account(engine: str, name: str, *, grants: dict[str, list[str]] | None = None, **values: t.Any) -> Account:
    return Account(
        **{
            "name": name,
            "hosts": frozenset({"%"}),
            "password": PASSWORD,
            "privileges": privileges_of(dialect(engine), (grants or {}).items()),
            **values,
        }
    )


def recorded_accounts(engine: str) -> tuple[Account, ...]:
    monitoring = {"*.*": ["REPLICATION CLIENT", "process"], "webinfra.canary": ["SELECT", "INSERT", "UPDATE"]}
    if engine.startswith("mysql"):
        monitoring["performance_schema.*"] = ["SELECT"]
    return (
        account(engine, "replication", grants={"*.*": ["REPLICATION REPLICA"]}),
        account(engine, "monitoring", grants=monitoring),
        account(
            engine,
            "app",
            hosts=frozenset({"%", "10.0.0.2"}),
            password="new",
            tls_required=False,
            grants={"app_db.*": ["SELECT", "UPDATE"], "we`ird-%s.*": ["SELECT"]},
        ),
        account(engine, "router", password="", tls_required=False),
    )


def wanted(engine: str, **changes: t.Any) -> Wanted:
    names = ("app_db", "we`ird-%s")
    everything = Wanted(
        databases=tuple(Database(name=name) for name in names),
        canary_database="webinfra",
        accounts=recorded_accounts(engine),
    )
    return dataclasses.replace(everything, **changes)


def found(engine: str) -> Found:
    return read_found(session(engine, "accounts"), wanted(engine))


def changes(engine: str, asked: Wanted) -> list[Change]:
    return plan_changes(dialect(engine), found(engine), checked(asked))


def described(engine: str, asked: Wanted) -> list[str]:
    return [change.description for change in changes(engine, asked)]


def with_account(engine: str, name: str, **values: t.Any) -> Wanted:
    accounts = [
        dataclasses.replace(item, **values) if item.name == name else item for item in recorded_accounts(engine)
    ]
    return wanted(engine, accounts=tuple(accounts))


@every_engine
def test_a_server_that_is_as_wanted_is_left_alone(engine: str) -> None:
    assert changes(engine, wanted(engine)) == []


@every_engine
def test_everything_is_read_in_four_statements(engine: str) -> None:
    asked = session(engine, "accounts")
    read_found(asked, wanted(engine))
    assert len(asked.asked) == 4


@every_engine
def test_an_empty_server_gets_everything(engine: str) -> None:
    nothing = Found(charsets={}, accounts={})
    made = [change.description for change in plan_changes(dialect(engine), nothing, wanted(engine))]
    assert made[:5] == [
        "create the database app_db (utf8mb4)",
        "create the database we`ird-%s (utf8mb4)",
        "create the database webinfra (utf8mb4)",
        "create the table webinfra.canary",
        "create the table webinfra.heartbeat",
    ]
    assert "create router@%" in made


@every_engine
def test_a_new_password_is_set_at_every_host(engine: str) -> None:
    assert described(engine, with_account(engine, "app", password="other")) == [
        "set the password of app@%",
        "set the password of app@10.0.0.2",
    ]


@every_engine
def test_taking_a_password_away_is_a_change(engine: str) -> None:
    asked = with_account(engine, "app", password="", privileges={})
    assert "set the password of app@%" in described(engine, asked)


@every_engine
def test_demanding_tls_is_a_change(engine: str) -> None:
    assert described(engine, with_account(engine, "router", tls_required=True)) == ["demand TLS of router@%"]


@every_engine
def test_an_account_is_dropped_where_it_is_not_listed(engine: str) -> None:
    assert described(engine, with_account(engine, "app", hosts=frozenset({"%"}))) == ["drop app@10.0.0.2"]


@every_engine
def test_an_absent_account_is_dropped_everywhere(engine: str) -> None:
    asked = with_account(engine, "app", hosts=frozenset())
    assert described(engine, asked) == ["drop app@%", "drop app@10.0.0.2"]


@every_engine
def test_who_is_dropped_is_cut_off_and_nobody_else(engine: str) -> None:
    def locked_out(**values: t.Any) -> list[tuple[str, str] | None]:
        asked = with_account(engine, "app", **values)
        return [change.locks_out for change in changes(engine, asked) if change.description.startswith("drop")]

    assert locked_out(hosts=frozenset({"%"})) == [("app", "10.0.0.2:%")]
    # Connections that came in by a pattern cannot be told from those of the hosts that stay.
    assert locked_out(hosts=frozenset({"10.0.0.2"})) == [None]
    assert locked_out(hosts=frozenset()) == [("app", "%"), ("app", "%")]


@every_engine
def test_privileges_are_exact(engine: str) -> None:
    asked = with_account(engine, "monitoring", privileges={"*.*": frozenset({"PROCESS", "RELOAD"})})
    text = "\n".join(described(engine, asked))
    assert "grant RELOAD on *.* to monitoring@%" in text
    assert "revoke INSERT, SELECT, UPDATE on webinfra.canary from monitoring@%" in text
    assert "grant PROCESS" not in text


@every_engine
def test_an_underscore_in_a_database_is_not_a_wildcard(engine: str) -> None:
    asked = with_account(engine, "app", privileges={"app_db.*": frozenset({"SELECT", "UPDATE", "DELETE"})})
    grants = [change.statement.sql for change in changes(engine, asked) if "DELETE" in change.statement.sql]
    assert grants == ["GRANT DELETE ON `app\\_db`.* TO %s@%s"] * 2


@every_engine
def test_no_statement_and_no_description_contains_a_password(engine: str) -> None:
    nothing = Found(charsets={}, accounts={})
    for change in plan_changes(dialect(engine), nothing, wanted(engine)):
        assert PASSWORD not in change.description
        assert PASSWORD not in change.statement.sql
        assert change.statement.secret or PASSWORD not in str(change.statement.parameters)


def test_mariadb_gets_a_hash_because_its_binary_log_keeps_the_words() -> None:
    nothing = Found(charsets={}, accounts={})
    for change in plan_changes(dialect("mariadb"), nothing, wanted("mariadb_11_8")):
        assert PASSWORD not in str(change.statement.parameters)


@every_engine
def test_a_summary_says_that_there_is_a_password_and_not_which(engine: str) -> None:
    shown = as_summary(found(engine), wanted(engine))
    assert shown["accounts"]["app@%"] == {
        "tls_required": False,
        "password": "set",
        "privileges": {"app_db.*": ["SELECT", "UPDATE"], "we`ird-%s.*": ["SELECT"]},
    }
    assert shown["accounts"]["router@%"]["password"] == "none"


@every_engine
def test_the_predicted_summary_is_the_one_found_afterwards(engine: str) -> None:
    assert as_wanted_summary(dialect(engine), found(engine), wanted(engine)) == as_summary(
        found(engine), wanted(engine)
    )


@every_engine
def test_the_predicted_summary_shows_a_new_password_without_showing_it(engine: str) -> None:
    asked = with_account(engine, "app", password="other")
    assert as_wanted_summary(dialect(engine), found(engine), asked)["accounts"]["app@%"]["password"] == "set anew"


@every_engine
def test_a_password_that_is_kept_gets_in_beside_the_new_one(engine: str) -> None:
    asked = dataclasses.replace(with_account(engine, "app", password="other"), old_passwords_kept=True)
    assert described(engine, asked) == [
        "set the password of app@%, and keep the old one",
        "set the password of app@10.0.0.2, and keep the old one",
    ]
    assert two_passwords(dialect(engine), found(engine), asked) == ["app@%", "app@10.0.0.2"]
    sql = changes(engine, asked)[0].statement.sql
    assert "RETAIN CURRENT PASSWORD" in sql or " OR mysql_native_password USING " in sql


def retained(engine: str) -> Found:
    """Return the recorded server after a rotation that has not ended."""
    before = found(engine)
    accounts = {
        who: dataclasses.replace(existing, retained=who[0] == "app") for who, existing in before.accounts.items()
    }
    return dataclasses.replace(before, accounts=accounts)


@every_engine
def test_a_rotation_ends_only_when_it_is_told_to(engine: str) -> None:
    kept = wanted(engine, old_passwords_kept=True)
    assert plan_changes(dialect(engine), retained(engine), kept) == []
    assert two_passwords(dialect(engine), retained(engine), kept) == ["app@%", "app@10.0.0.2"]
    ended = plan_changes(dialect(engine), retained(engine), wanted(engine))
    assert [change.description for change in ended] == [
        "discard the old password of app@%",
        "discard the old password of app@10.0.0.2",
    ]
    assert two_passwords(dialect(engine), retained(engine), wanted(engine)) == []


@every_engine
def test_nothing_is_kept_of_an_account_that_had_no_password(engine: str) -> None:
    asked = dataclasses.replace(with_account(engine, "router", password="first"), old_passwords_kept=True)
    assert described(engine, asked) == ["set the password of router@%"]
    assert two_passwords(dialect(engine), found(engine), asked) == []


@every_engine
def test_a_summary_says_that_two_passwords_get_in(engine: str) -> None:
    kept = wanted(engine, old_passwords_kept=True)
    assert as_summary(retained(engine), kept)["accounts"]["app@%"]["password"] == "set, and the old one"
    assert as_wanted_summary(dialect(engine), retained(engine), kept) == as_summary(retained(engine), kept)


@pytest.mark.parametrize(
    ("scope", "privilege", "canary", "accepted"),
    [
        ("webinfra.heartbeat", "SELECT", "webinfra", True),
        ("webinfra.heartbeat", "INSERT", "webinfra", False),
        ("webinfra.canary", "SELECT", "webinfra", False),
        ("webinfra.*", "SELECT", "webinfra", False),
        ("None.heartbeat", "SELECT", None, False),
    ],
    ids=["read the heartbeat", "write it", "another table", "the database", "no canary database"],
)
def test_an_account_without_a_password_may_read_the_heartbeat_and_nothing_else(
    scope: str, privilege: str, canary: str | None, *, accepted: bool
) -> None:
    router = account("mariadb_11_8", "router", password="", privileges={scope: frozenset({privilege})})
    asked = Wanted(canary_database=canary, accounts=(router,))
    if accepted:
        assert checked(asked) == asked
        return
    with pytest.raises(RefusedError, match="without a password"):
        checked(asked)


REFUSED: list[tuple[str, dict[str, t.Any], str]] = [
    ("the server's own", {"name": "root"}, "belongs to the server"),
    ("rights without a password", {"password": ""}, "without a password"),
    ("all privileges", {"privileges": {"app.*": frozenset({"ALL PRIVILEGES"})}}, "is not one privilege"),
    ("SQL in a privilege", {"privileges": {"app.*": frozenset({"SELECT ON *.* TO X; --"})}}, "is not one privilege"),
    ("no table", {"privileges": {"app": frozenset({"SELECT"})}}, "is not"),
    ("a table everywhere", {"privileges": {"*.t": frozenset({"SELECT"})}}, "is not"),
]


@pytest.mark.parametrize(("change", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_dangerous_account_is_refused(change: dict[str, t.Any], words: str) -> None:
    values = {"grants": {"*.*": ["SELECT"]}, "name": "app", **change}
    with pytest.raises(RefusedError, match=words):
        checked(Wanted(accounts=(account("mysql_9_7", **values),)))


def test_an_account_that_is_listed_twice_is_refused() -> None:
    twice = account("mysql_9_7", "app")
    with pytest.raises(RefusedError, match="listed twice"):
        checked(Wanted(accounts=(twice, twice)))


def test_a_character_set_is_a_word() -> None:
    with pytest.raises(RefusedError, match="character set"):
        changes("mysql_9_7", Wanted(databases=(Database(name="x", charset="utf8mb4; DROP"),)))


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("app", "`app`"), ("a-b", "`a-b`"), ("a`b", "`a``b`"), ("50%", "`50%%`")],
    ids=["plain", "dash", "backtick", "percent"],
)
def test_identifiers_are_quoted(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted
