# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._guard.program import main
from ansible_collections.webinfra.stack.plugins.module_utils._guard.settings import SettingsError, read_settings
from ansible_collections.webinfra.stack.plugins.module_utils._replication.semi_sync import Durability
from ansible_collections.webinfra.stack.plugins.plugin_utils.room_program import room_program

if t.TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "not to be shown"
SETTINGS: dict[str, t.Any] = {
    "name": "db1",
    "servers": [{"name": "db1", "host": "10.0.0.1", "port": 3307}, {"name": "db2", "host": "10.0.0.2", "port": 3306}],
    "unix_socket": "/nowhere/mysqld.sock",
    "local_user": "root",
    "operator_user": "operator",
    "operator_password": PASSWORD,
    "ca_file": "/ca.pem",
    "durability": "no_loss",
    "grace_seconds": 30,
    "heartbeat_schema": "webinfra",
    "textfile": "",
}


@pytest.fixture
def file(tmp_path: Path) -> t.Callable[..., str]:
    def written(**changes: t.Any) -> str:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({**SETTINGS, **changes}))
        return str(path)

    return written


def test_the_own_server_is_met_by_its_socket_and_the_others_over_tls(file: t.Callable[..., str]) -> None:
    settings = read_settings(file())
    own, other = (target.login for target in settings.targets)
    assert (own.host, own.unix_socket, own.user, own.port) == (None, "/nowhere/mysqld.sock", "root", 3307)
    assert (other.host, other.ca_file, other.user, other.password) == ("10.0.0.2", "/ca.pem", "operator", PASSWORD)
    assert settings.local is own


def test_the_primary_is_opened_as_the_settings_say(file: t.Callable[..., str]) -> None:
    settings = read_settings(file())
    assert (settings.primary.durability, settings.terms.durability) == (Durability.NO_LOSS, Durability.NO_LOSS)
    assert (settings.primary.replicas, settings.primary.heartbeat_database) == (1, "webinfra")
    assert read_settings(file(durability="")).primary.durability is None


@pytest.mark.parametrize(
    "changes",
    [{"name": "db9"}, {"durability": "perhaps"}, {"servers": None}, {"grace_seconds": "soon"}],
    ids=["an unknown server", "an unknown durability", "no servers", "no number"],
)
def test_settings_that_cannot_be_used_are_named(file: t.Callable[..., str], changes: dict[str, t.Any]) -> None:
    with pytest.raises(SettingsError, match=r"settings\.json cannot be used: .*What to do"):
        read_settings(file(**changes))


def test_no_settings_are_an_error_that_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "/nowhere/settings.json"]) == 2
    assert "/nowhere/settings.json cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["watch"], ["prepare", "/settings.json"], ["guard", "/settings.json"]])
def test_words_that_it_does_not_know_are_an_error_that_says_which_it_does(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == "Say: watch SETTINGS, or prepare SETTINGS FILE.\n"


def test_before_a_start_that_nobody_speaks_against_the_server_is_told_to_keep_its_log(
    file: t.Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "start" / "start.cnf"
    alone = {"servers": [{"name": "db1", "host": "10.0.0.1", "port": 3307}]}
    before = os.umask(0o027)  # the server's unit has that
    try:
        assert main(["prepare", file(**alone), str(path)]) == 0
    finally:
        os.umask(before)
    assert path.read_text() == "[mariadbd]\ninit_rpl_role = MASTER\n"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o644, 0o755)
    assert capsys.readouterr().out == "Starts as MASTER: nobody else takes writes\n"


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "guard.pyz"
    path.write_bytes(room_program("_guard"))
    return str(path)


def test_the_program_runs_with_nothing_but_itself(program: str, file: t.Callable[..., str]) -> None:
    """Its own server does not answer, so it says that and goes on asking."""
    command = [sys.executable, "-I", program, "watch", file()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        running.kill()
    assert line.startswith("Closed (not_asked): This server cannot be asked (/nowhere/mysqld.sock cannot be reached")


def test_the_program_needs_no_ansible(program: str, file: t.Callable[..., str]) -> None:
    looking = (
        "import runpy, sys; sys.argv[1:] = ['watch', '/nowhere']\n"
        f"try: runpy.run_path({program!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'webinfra'))\n"
        "print([name for name in sys.modules if name.startswith('ansible')])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", looking], capture_output=True, text=True, check=True, cwd="/")
    modules, ansible = done.stdout.splitlines()
    assert "'webinfra._guard.program'" in modules
    assert ansible == "[]"
