# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._module import application, releases, switching
from ansible_collections.webinfra.stack.plugins.modules import app_release, app_release_info
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_archive import size_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_source import settle


class Call(t.Protocol):
    def __call__(self, **options: t.Any) -> dict[str, t.Any]: ...


class Home(releases.Home):
    """Releases of whoever runs the tests: only root can give files away."""

    def ensure_user(self) -> None:
        pass

    def locked(self) -> t.Any:
        return open(os.devnull)

    def _as_user(self, command: str, directory: str, environment: t.Mapping[str, str]) -> tuple[int, str, str]:
        code, out, err = self._module.run_command(
            ["/bin/sh", "-c", command], cwd=directory, environ_update=dict(environment)
        )
        return code, out, err


class Server:
    """A unit that runs what is current when it is started, and what it answers."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.running = ""
        self.sick: dict[str, str] = {}
        self.restarts = 0

    def complaint(self, release: str) -> str:
        if self.running in self.sick:
            return self.sick[self.running]
        return "" if self.running == release else f"healthy, but X-Release says {self.running} instead of {release}"

    def restart(self, release: str) -> str:
        self.restarts += 1
        self.running = (self._home / "current").resolve().name
        complaint = self.complaint(release)
        return complaint and f"after 1 s it was {complaint}"

    def journal(self, _since: float) -> str:
        return "Traceback: no such table"


def write_plainly(path: str, content: bytes, **_owner: t.Any) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server(tmp_path / "home")
    monkeypatch.setattr(application, "Home", Home)
    monkeypatch.setattr(application, "RunningUnit", lambda **_options: server)
    for room in (application, releases):
        monkeypatch.setattr(room, "write_at_once", write_plainly)
    monkeypatch.setattr("shutil.chown", lambda *_owner: None)
    monkeypatch.setattr(releases, "_own", lambda *_owner: None)
    return server


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Server) -> Call:
    def converge(**options: t.Any) -> dict[str, t.Any]:
        arguments = {
            "name": "wiki",
            "home": str(tmp_path / "home"),
            "audit_log": str(tmp_path / "audit.log"),
            **options,
        }
        with patch_module_args(arguments), pytest.raises(SystemExit):
            app_release.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return converge


@pytest.fixture
def carried(tmp_path: Path) -> t.Callable[[str], dict[str, t.Any]]:
    """A release as the controller's side gives it."""

    def pack(name: str) -> dict[str, t.Any]:
        source = tmp_path / "source" / name
        source.mkdir(parents=True, exist_ok=True)
        (source / "app").write_text(name)
        archive = settle(str(source)).pack(str(tmp_path / "packed"), "wiki")
        size = size_of(archive)
        return {
            "release": name,
            "source": str(source),
            "encoded_archive": base64.b64encode(archive.read_bytes()).decode(),
            "unpacked_bytes": size.bytes,
            "unpacked_files": size.files,
            "packed_at": 1_700_000_000,
        }

    return pack


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_release_is_put_beside_the_others_once(call: Call, carried: t.Any, home: Path) -> None:
    first = call(**carried("one"), requested_by="anna", revision="abc")
    assert (first["changed"], first["directory"], first["current"]) == (True, str(home / "releases/one"), "")
    assert first["diff"]["after"]["releases"] == ["one"]
    assert (home / "releases/one/app").read_text() == "one"
    assert (home / "releases/one/app").stat().st_mtime == 1_700_000_000
    record = json.loads((home / "releases/one/.release.json").read_text())
    assert {**record, "at": ""} == {
        "id": "one",
        "source": carried("one")["source"],
        "revision": "abc",
        "by": "anna",
        "at": "",
    }
    assert (home / "releases/one/.release.env").read_text() == 'APP_RELEASE="one"\n'
    assert call(**carried("one"))["changed"] is False


def test_check_mode_predicts_that_and_does_nothing(call: Call, carried: t.Any, home: Path) -> None:
    predicted = call(release="one", source="/somewhere", _ansible_check_mode=True)
    assert (predicted["changed"], home.exists()) == (True, False)
    assert call(**carried("one"))["diff"] == predicted["diff"]


def test_a_release_that_was_not_given_is_asked_for(call: Call, home: Path) -> None:
    assert call(release="one", source="/somewhere")["missing"]
    assert not home.exists()


def test_a_release_that_nobody_can_give_is_refused_with_those_that_there_are(call: Call, carried: t.Any) -> None:
    call(**carried("one"))
    for state in ("present", "current"):
        refused = call(release="two", state=state)
        assert "There is no release two" in refused["msg"]
        assert "it has one. Nothing was changed" in refused["msg"]


def test_what_a_killed_run_has_left_is_made_anew(call: Call, carried: t.Any, home: Path) -> None:
    (home / "releases/one").mkdir(parents=True)
    (home / "releases/one/half").write_text("")
    assert call(**carried("one"))["changed"]
    assert not (home / "releases/one/half").exists()


def test_nothing_is_unpacked_without_room(call: Call, carried: t.Any, home: Path) -> None:
    refused = call(**{**carried("one"), "unpacked_bytes": 1 << 60})
    assert refused["failed"]
    assert "There is no room for the release on this host" in refused["msg"]
    assert list((home / "releases").iterdir()) == []


def test_a_broken_archive_leaves_nothing(call: Call, carried: t.Any, home: Path) -> None:
    broken = base64.b64encode(b"no archive").decode()
    assert "cannot be read" in call(**{**carried("one"), "encoded_archive": broken})["msg"]
    assert list((home / "releases").iterdir()) == []


def test_what_is_built_is_part_of_the_release(call: Call, carried: t.Any, home: Path) -> None:
    call(**carried("one"), build=["echo $APP_RELEASE > built; pwd >> built", "cp built again"])
    assert (home / "releases/one/again").read_text() == f"one\n{home}/releases/one\n"


def test_a_build_that_fails_leaves_no_release_and_its_last_words(call: Call, carried: t.Any, home: Path) -> None:
    failed = call(**carried("one"), build=["echo no compiler >&2; exit 3"])
    assert "so there is no release one on this host" in failed["msg"]
    assert "no compiler" in failed["msg"]
    assert list((home / "releases").iterdir()) == []


def test_a_migration_runs_once_a_release(call: Call, carried: t.Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = {
        "migrate_command": f'echo "$APP_RELEASE $WHO $WITH" >> {log}',
        "environment": {"WHO": "wiki"},
        "secret_environment": {"WITH": "a secret"},
        "files": [{"path": str(tmp_path / "etc/ca.pem"), "content": "authority"}],
    }
    first = call(**carried("one"), **options)
    assert (first["migrated"], log.read_text()) == (True, "one wiki a secret\n")
    assert (tmp_path / "etc/ca.pem").read_text() == "authority"
    again = call(**carried("one"), **options)
    assert (again["migrated"], again["changed"], log.read_text()) == (False, False, "one wiki a secret\n")


def test_a_migration_that_fails_is_run_again_and_shows_no_secret(call: Call, carried: t.Any) -> None:
    options = {"migrate_command": "echo denied to $WITH; exit 1", "secret_environment": {"WITH": "hunter2-hunter2"}}
    failed = call(**carried("one"), **options)
    assert "no server gets the release one" in failed["msg"]
    assert "denied to" in failed["msg"]
    assert "hunter2-hunter2" not in json.dumps(failed)
    assert call(release="one", migrate_command="true")["migrated"]


def test_the_first_release_is_the_business_of_the_site_and_no_later_one(call: Call, carried: t.Any, home: Path) -> None:
    assert call(**carried("one"), state="initial")["changed"]
    call(release="one", state="current")
    assert call(**carried("two"), state="initial", migrate_command="false")["changed"] is False
    assert not (home / "releases/two").exists()


@pytest.fixture
def two(call: Call, carried: t.Any) -> None:
    """Two releases, of which the older one runs."""
    call(**carried("one"))
    call(**carried("two"))
    call(release="one", state="current")


@pytest.mark.usefixtures("two")
def test_a_switch_is_one_and_the_way_back_is_known(call: Call, server: Server) -> None:
    predicted = call(release="two", state="current", _ansible_check_mode=True)
    assert (predicted["changed"], server.running) == (True, "one")
    switched = call(release="two", state="current")
    assert (switched["changed"], switched["current"], switched["previous"]) == (True, "two", "one")
    assert (switched["diff"], server.running) == (predicted["diff"], "two")
    assert call(release="two", state="current")["changed"] is False
    assert server.restarts == 2


@pytest.mark.usefixtures("two")
def test_what_was_done_is_written_down_on_the_host(call: Call, server: Server, tmp_path: Path) -> None:
    call(release="two", state="current", requested_by="anna", reason="the week's")
    call(release="two", state="current")
    server.sick = {"one": "answered 500"}
    call(release="one", state="current", verb="rollback", requested_by="anna")
    first, second, third = map(json.loads, (tmp_path / "audit.log").read_text().splitlines())
    assert first["outcome"] == "wiki runs one, before it nothing"
    assert (second["verb"], second["outcome"]) == ("deploy", "wiki runs two, before it one")
    assert (second["requested_by"], second["reason"]) == ("anna", "the week's")
    assert (third["verb"], third["requested_by"]) == ("rollback", "anna")
    assert third["outcome"].startswith("wiki one does not become healthy: after 1 s it was answered 500")


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("complaint", ["answered 500", "not answered: timed out", "healthy, but says one"])
def test_a_release_that_is_not_well_is_taken_back(call: Call, server: Server, complaint: str) -> None:
    server.sick = {"two": complaint}
    failed = call(release="two", state="current")
    assert f"wiki two does not become healthy: after 1 s it was {complaint}" in failed["msg"]
    assert "This host runs one again and is healthy" in failed["msg"]
    assert failed["msg"].endswith("The last lines of its journal:\nTraceback: no such table")
    assert server.running == "one"
    shown = call(release="one", state="current")
    assert (shown["changed"], shown["current"], shown["previous"]) == (False, "one", "")


@pytest.mark.usefixtures("two")
def test_when_the_old_one_is_not_well_either_that_is_said(call: Call, server: Server) -> None:
    server.sick = {"two": "answered 500", "one": "answered 503"}
    failed = call(release="two", state="current")
    assert "was put back to one, and that is not well either: after 1 s it was answered 503" in failed["msg"]


@pytest.mark.usefixtures("two")
def test_a_run_that_was_killed_before_the_restart_is_completed(call: Call, server: Server, home: Path) -> None:
    releases.Home(t.cast("t.Any", None), "wiki", str(home)).point_to("two")
    assert call(release="two", state="current")["changed"]
    assert server.running == "two"


@pytest.mark.usefixtures("two")
def test_a_run_that_was_killed_before_the_restart_has_a_way_back(call: Call, server: Server, home: Path) -> None:
    releases.Home(t.cast("t.Any", None), "wiki", str(home)).point_to("two")
    server.sick = {"two": "answered 500"}
    assert "This host runs one again" in call(release="two", state="current")["msg"]
    assert server.running == "one"


@pytest.mark.usefixtures("two")
def test_a_restart_changes_nothing_else(call: Call, server: Server) -> None:
    call(release="two", state="current")
    assert call(release="two", state="current", restart=True)["changed"]
    assert server.restarts == 3
    server.sick = {"two": "answered 500"}
    assert "It was only restarted" in call(release="two", state="current", restart=True)["msg"]
    assert server.running == "two"


def test_old_releases_go_and_those_in_use_stay(call: Call, carried: t.Any, home: Path) -> None:
    for name in ("one", "two", "three", "four"):
        call(**carried(name))
        last = call(release=name, state="current", keep=2)
    assert last["removed"] == ["two"]
    assert sorted(path.name for path in (home / "releases").iterdir()) == ["four", "three"]


@pytest.mark.parametrize("name", ["../../etc", ".", ""])
def test_a_release_of_another_name_than_a_directorys_is_refused(call: Call, name: str) -> None:
    assert call(release=name)["failed"]


@pytest.mark.usefixtures("two")
def test_releases_and_lock_are_told(
    capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "LOCKS", str(tmp_path / "locks"))
    with patch_module_args({"name": "wiki", "home": str(home)}), pytest.raises(SystemExit):
        app_release_info.main()
    told = json.loads(capsys.readouterr().out)
    assert (told["current"], told["previous"], told["lock"], told["incomplete"]) == ("one", "", None, [])
    assert [release["id"] for release in told["releases"]] == ["two", "one"]


class Commands:
    """A module that notes what it runs."""

    def __init__(self, answers: dict[str, tuple[int, str, str]]) -> None:
        self.answers = answers
        self.ran: list[str] = []

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        self.ran.append(" ".join(command[:2]))
        return self.answers.get(command[1], (0, "", ""))


def unit(answers: dict[str, tuple[int, str, str]]) -> tuple[switching.RunningUnit, Commands]:
    commands = Commands(answers)
    running = switching.RunningUnit(
        module=t.cast("t.Any", commands), unit="wiki.service", health_url="http://127.0.0.1:9/", header="", seconds=0.3
    )
    return running, commands


def test_a_unit_that_failed_too_often_is_started_all_the_same() -> None:
    running, commands = unit({"show": (0, "NRestarts=0\n", "")})
    assert "after 0.3 s it was not answered" in running.restart("one")
    assert commands.ran.index("systemctl reset-failed") < commands.ran.index("systemctl restart")


def test_a_unit_that_ends_by_itself_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    running, _commands = unit({})
    counts = iter([3, 3, 4])
    monkeypatch.setattr(switching.RunningUnit, "_restarts", lambda _self: next(counts))
    assert running.restart("one") == "it ends as soon as it is started"


def test_a_unit_that_does_not_start_is_not_waited_for() -> None:
    running, _commands = unit({"show": (0, "NRestarts=0\n", ""), "restart": (1, "", "bad unit file")})
    assert running.restart("one") == "it does not start: bad unit file"
