# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._module import seeding
from ansible_collections.webinfra.stack.plugins.module_utils._replication.seeding.journal import Journal, Phase
from ansible_collections.webinfra.stack.plugins.module_utils._seeding import mariadb, mysql, record
from ansible_collections.webinfra.stack.plugins.modules import replica_seed, seed_donor
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import dialect, status

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ServerStatus

CUT_OFF = Journal(phase=Phase.FILLING, donor="10.0.0.1", directory="/d", aside="/d.webinfra/aside", keep=True)


class Server:
    """A server that only says what it is."""

    def __init__(self, engine: str, found: ServerStatus) -> None:
        self.dialect = dialect(engine)
        self.dialect.read_status = lambda _session, **_options: found  # type: ignore[method-assign]
        self.asked: list[str] = []

    def query(self, statement: Statement) -> list[Row]:
        self.asked.append(statement.sql)
        return [{"directory": "/proc"}]


class Run(t.Protocol):
    def __call__(self, module: t.Any, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(record, "read_journal", lambda: None)

    def run_module(module: t.Any, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        with patch_module_args({**options, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            module.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return run_module


@pytest.fixture
def has(monkeypatch: pytest.MonkeyPatch) -> c.Callable[..., None]:
    def be(engine: str, **changes: t.Any) -> None:
        server = Server(engine, status(engine, "replica", **changes))
        monkeypatch.setattr(seeding, "session_for", lambda _params: contextlib.nullcontext(server))

    return be


def test_without_a_donor_and_without_a_seeding_that_was_interrupted_nothing_is_done(run: Run) -> None:
    assert run(replica_seed, engine="mariadb")["changed"] is False


@pytest.mark.parametrize("engine", ["mariadb_11_8", "mysql_9_7"])
def test_check_mode_says_where_the_old_data_would_go(run: Run, has: c.Callable[..., None], engine: str) -> None:
    has(engine)
    result = run(replica_seed, check=True, engine=engine.partition("_")[0], donor="10.0.0.1")
    assert result["changed"]
    assert "aside-" in result["kept_aside"]
    assert (result["donor"], result["resumed"]) == ("10.0.0.1", False)


def test_an_interrupted_seeding_is_predicted_to_be_finished(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "read_journal", lambda: CUT_OFF)
    result = run(replica_seed, check=True, engine="mariadb")
    assert (result["changed"], result["resumed"], result["kept_aside"]) == (True, True, CUT_OFF.aside)


def test_a_server_of_the_other_engine_is_refused(run: Run, has: c.Callable[..., None]) -> None:
    has("mysql_9_7")
    result = run(replica_seed, engine="mariadb", donor="10.0.0.1")
    assert "runs mysql, not mariadb" in result["msg"]


def test_a_donor_without_the_program_says_which_package_is_missing(
    run: Run, has: c.Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    has("mariadb_11_8")
    monkeypatch.setattr(mariadb, "missing_program", lambda: "mbstream")
    assert "mbstream is not installed" in run(seed_donor, target="10.0.0.2", address="10.0.0.1")["msg"]


@pytest.mark.parametrize("engine", ["mariadb_11_8", "mysql_9_7"])
def test_check_mode_serves_nobody(
    run: Run, has: c.Callable[..., None], monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    has(engine)
    monkeypatch.setattr(mariadb, "missing_program", lambda: None)
    monkeypatch.setattr(mysql, "allow_cloning", lambda _session: pytest.fail("it changed the server"))
    result = run(seed_donor, check=True, target="10.0.0.2", address="10.0.0.1")
    assert (result["changed"], result["served"]) == (False, None)
