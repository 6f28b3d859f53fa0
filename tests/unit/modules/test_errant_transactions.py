# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import json
import stat
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._module import errant
from ansible_collections.webinfra.stack.plugins.modules import errant_transactions
from ansible_collections.webinfra.stack.tests.unit.module_utils.replication.replay import dialect, status

if t.TYPE_CHECKING:
    import collections.abc as c
    from pathlib import Path

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement

KNOWN = "0-1-100"
EVENTS = {
    "binlog.000001": [
        ("Format_desc", ""),
        ("Gtid_list", "[]"),
        ("Gtid", "BEGIN GTID 0-1-99"),
        ("Query", "INSERT INTO t VALUES ('GTID 0-1-900')"),
    ],
    "binlog.000002": [
        ("Format_desc", ""),
        ("Gtid_list", "[0-1-99]"),
        ("Gtid", "BEGIN GTID 0-1-100"),
        ("Gtid", "BEGIN GTID 0-1-101"),
        ("Gtid", "GTID 0-1-102"),
        ("Stop", ""),
    ],
}
TEXT = """\
#Q> INSERT
# at 3\tGTID 0-1-101 trans
/*M!100001 SET @@session.gtid_seq_no=101*//*!*/;
COMMIT
# at 4\tGTID 0-1-102 ddl
/*M!100001 SET @@session.gtid_seq_no=102*//*!*/;
"""


class Server:
    """A server whose logs hold two transactions that the primary lacks."""

    def __init__(self, folder: Path, executed: str = "0-1-102") -> None:
        self.dialect = dialect("mariadb_11_8")
        found = status("mariadb_11_8", "primary")
        found = status("mariadb_11_8", "primary", executed=found.engine.parse_gtids(executed), read_only=True)
        self.dialect.read_status = lambda _session, **_options: found  # type: ignore[method-assign]
        self._folder = folder

    def query(self, statement: Statement) -> list[Row]:
        if statement.sql == "SHOW BINARY LOGS":
            return [{"Log_name": name, "File_size": 6} for name in EVENTS]
        if "log_bin_basename" in statement.sql:
            return [{"base": str(self._folder / "binlog")}]
        name = statement.parameters[0]
        return [
            {"Pos": place, "End_log_pos": place + 1, "Event_type": kind, "Info": words}
            for place, (kind, words) in enumerate(EVENTS[name], start=1)
        ]


class Run(t.Protocol):
    def __call__(self, **options: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> c.Callable[..., None]:
    """Let a script stand for the program that reads logs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def be(text: str = TEXT, code: int = 0) -> None:
        (tmp_path / "text").write_text(text)
        script = folder / "mariadb-binlog"
        script.write_text(
            f'#!/bin/sh\necho "$@" >> {tmp_path}/commands\ncat {tmp_path}/text\necho "no log" >&2\nexit {code}\n'
        )
        script.chmod(0o755)

    be()
    return be


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in EVENTS:
        (tmp_path / name).write_bytes(b"binary")

    def run_module(executed: str = "0-1-102", **options: t.Any) -> dict[str, t.Any]:
        server = Server(tmp_path, executed)
        monkeypatch.setattr(errant, "session_for", lambda _params, **_: contextlib.nullcontext(server))
        given = {"name": "db1", "gtids": KNOWN, "directory": str(tmp_path / "errant"), **options}
        with patch_module_args(given), pytest.raises(SystemExit):
            errant_transactions.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return run_module


@pytest.mark.usefixtures("program")
def test_what_the_primary_lacks_is_saved_once_and_check_mode_predicts_it(run: Run, tmp_path: Path) -> None:
    predicted = run(_ansible_check_mode=True)
    assert not (tmp_path / "errant").exists()
    first = run()
    assert first["changed"] is predicted["changed"] is True
    assert first["diff"] == predicted["diff"]
    assert (first["gtids"], first["count"], first["missing"]) == ("0-1-102", 2, "")
    assert first["files"] == ["binlog.000002", "readable.sql", "replay.sql"]
    again = run()
    assert (again["changed"], again["directory"], again["count"]) == (False, first["directory"], 2)


@pytest.mark.usefixtures("program")
def test_only_root_may_read_what_was_saved(run: Run, tmp_path: Path) -> None:
    run()
    (saved,) = (tmp_path / "errant").iterdir()
    for path in (saved.parent, saved, *saved.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.usefixtures("program")
def test_only_what_the_primary_lacks_is_read(run: Run, tmp_path: Path) -> None:
    run()
    commands = (tmp_path / "commands").read_text().splitlines()
    assert len(commands) == 2
    assert all("--start-position=4 " in command and "--stop-position" not in command for command in commands)


@pytest.mark.usefixtures("program")
def test_on_mariadb_a_replayed_transaction_gets_a_new_number(run: Run, tmp_path: Path) -> None:
    run()
    (replayable,) = (tmp_path / "errant").glob("*/replay.sql")
    assert "COMMIT" in replayable.read_text()
    assert "gtid_seq_no" not in replayable.read_text()


@pytest.mark.usefixtures("program")
def test_a_file_that_was_changed_is_written_again(run: Run, tmp_path: Path) -> None:
    run()
    (replayable,) = (tmp_path / "errant").glob("*/replay.sql")
    replayable.write_text("")
    assert run()["changed"]
    assert "COMMIT" in replayable.read_text()


@pytest.mark.usefixtures("program")
def test_a_server_without_transactions_of_its_own_saves_nothing(run: Run, tmp_path: Path) -> None:
    result = run(executed=KNOWN)
    assert (result["changed"], result["count"], result["directory"]) == (False, 0, None)
    assert not (tmp_path / "errant").exists()


@pytest.mark.usefixtures("program")
def test_what_is_in_no_log_any_more_is_told(run: Run) -> None:
    result = run(executed="0-1-102,0-7-50")
    assert (result["count"], result["missing"]) == (2, "0-7-50")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("# at 3\tGTID 0-1-101 trans\n", 0, "has left out 1 transactions, 0-1-102"),
        (TEXT, 1, "cannot read binlog.000002: no log"),
    ],
    ids=["something is missing", "the program fails"],
)
def test_what_cannot_be_read_is_a_failure_and_leaves_nothing_that_looks_saved(
    run: Run, program: c.Callable[..., None], tmp_path: Path, text: str, code: int, words: str
) -> None:
    program(text, code)
    assert words in run()["msg"]
    assert list((tmp_path / "errant").glob("*/manifest.json")) == []
    program()
    assert run()["changed"]


def test_a_missing_program_says_which_package_has_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "install the package mariadb-client" in run()["msg"]
