# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that come and go while clients read and write: nobody notices, whatever is wrong with the release."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import typing as t
import uuid

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import INVENTORIES, NAME, STATE, Scenario
from ansible_collections.webinfra.stack.molecule.shared.steady_load import PATIENT, SteadyLoad
from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.play import ROOT

SERVERS = ("web1", "web2", "web3")
GUEST_BOOK = ROOT / "playbooks" / "files" / "guest_book"
QUICKLY = ("-e", "web_app_health_timeout=8")
READERS, WRITERS = 3, 2
"""Enough to see a gap of a tenth of a second, and few enough to leave the machine to the deploy."""

BAD_RELEASES = {
    "does not start": ("raise RuntimeError('no such table')\n", "it ends as soon as it is started"),
    "answers 500": (
        "app.before_request_funcs.setdefault(None, []).append(lambda: ('no', 500))\n",
        "answered 500",
    ),
    "hangs": (
        "import time\napp.before_request_funcs.setdefault(None, []).append(lambda: time.sleep(25))\n",
        "timed out",
    ),
    "is healthy and another release": (
        "app.after_request_funcs[None].insert(0, lambda answer: answer.headers.set('X-Release', 'old') or answer)\n",
        "X-Release says old instead of",
    ),
}

eventually = functools.partial(waiting.eventually, seconds=60)
log = logging.getLogger(__name__)


class Writers:
    """Clients that write one entry after the other, each with a message of its own, and never twice."""

    def __init__(self, scenario: t.Any) -> None:
        self._scenario = scenario
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(WRITERS)]
        self.run = uuid.uuid4().hex
        self.acknowledged: list[str] = []
        self.failures: list[str] = []

    def __enter__(self) -> t.Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        while not self._stop.wait(0.05):
            message = f"{self.run} {uuid.uuid4().hex}"
            try:
                self._scenario.ask("/entries", {"name": "load", "message": message})
            except OSError as exc:
                self.failures.append(str(exc))
            else:
                self.acknowledged.append(message)


class Watcher:
    """Sees how many servers are out of the pool at a time, by what is written down on the balancer."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.out: list[set[str]] = []

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self.out.append(set(overrides()))


def on(host, *words, check=True):
    return subprocess.run(
        ["docker", "exec", f"{NAME}-{host}", *words], capture_output=True, text=True, check=check
    ).stdout


def overrides():
    return json.loads(on("lb1", "cat", "/var/lib/webinfra/load_balancer.json", check=False) or "{}")


def running(server):
    return on(server, "readlink", "/srv/guest_book/current").strip().rpartition("/")[2]


def pid(server):
    return on(server, "systemctl", "show", "--property=MainPID", "guest_book.service").strip()


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


@pytest.fixture
def release(tmp_path):
    """A release like the one that runs, with a difference."""

    def make(ending="", name="release"):
        folder = tmp_path / name
        shutil.copytree(GUEST_BOOK, folder, ignore=shutil.ignore_patterns("__pycache__"))
        with (folder / "app.py").open("a") as file:
            file.write(f"\n{ending}# {uuid.uuid4()}\n")
        return folder

    return make


@pytest.fixture
def deploy(scenario):
    def play(source, *options):
        return scenario.play("webinfra.stack.deploy", "-e", f"deploy_source={source}", *options)

    return play


@pytest.fixture
def unnoticed(scenario):
    """While it is entered clients read and write; afterwards none of them has noticed anything."""

    @contextlib.contextmanager
    def watch(beside=frozenset()):
        reading = SteadyLoad(scenario.address("lb1"), "/", patience=PATIENT, clients=READERS)
        writing, watching = Writers(scenario), Watcher()
        with reading, writing, watching:
            yield watching
        log.info("%s; %s entries", reading.outcome, len(writing.acknowledged))
        assert (dict(reading.outcome.failures), writing.failures) == ({}, [])
        assert reading.outcome.requests > 100
        rows = scenario.sql("db1", f"SELECT message FROM guest_book.entries WHERE message LIKE '{writing.run}%'")
        assert sorted(rows.splitlines()) == sorted(writing.acknowledged)
        assert max(len(out - beside) for out in watching.out) <= 1, watching.out

    return watch


@pytest.fixture(autouse=True)
def whole(scenario):
    """All servers answer with the same release, and nobody has taken one out."""
    yield
    eventually(lambda: {scenario.ask("/healthz")[0]["X-Served-By"] for _ in range(30)} == set(SERVERS))
    assert overrides() == {}
    assert len({running(server) for server in SERVERS}) == 1
    assert [on(server, "ls", "/var/lib/webinfra/deploys", check=False) for server in SERVERS] == ["", "", ""]


def releases(scenario):
    return {scenario.ask("/healthz")[0]["X-Release"] for _ in range(30)}


def test_the_site_has_put_the_same_release_on_all_servers(scenario):
    assert releases(scenario) == {running("web1")}


def test_a_deploy_and_a_rollback_are_not_noticed(scenario, unnoticed, deploy, release):
    before = running("web1")
    with unnoticed() as watching:
        begun = time.monotonic()
        done = deploy(release())
        log.info("deploy to %s servers under load: %.1f s", len(SERVERS), time.monotonic() - begun)
        assert done.code == 0, done.output
        after = running("web1")
        assert releases(scenario) == {after} != {before}
        begun = time.monotonic()
        back = scenario.play("webinfra.stack.rollback")
        log.info("rollback of %s servers under load: %.1f s", len(SERVERS), time.monotonic() - begun)
    assert back.code == 0, back.output
    assert releases(scenario) == {before}
    assert set.union(*watching.out) == set(SERVERS)
    audit = [json.loads(line) for line in on("web1", "cat", "/var/log/webinfra/audit.log").splitlines()]
    assert [line["verb"] for line in audit[-2:]] == ["deploy", "rollback"]
    assert audit[-2]["outcome"] == f"guest_book runs {after}, before it {before}"


def test_a_second_deploy_of_the_same_changes_nothing(scenario, deploy, release):
    source = release()
    assert deploy(source).code == 0
    processes = [pid(server) for server in SERVERS]
    for options in ((), ("--check", "--diff")):
        again = deploy(source, *options)
        assert (again.code, sum(again.changed.values())) == (0, 0), again.output
    assert [pid(server) for server in SERVERS] == processes


def test_check_mode_predicts_a_deploy_and_does_nothing(deploy, release):
    before = running("web1")
    predicted = deploy(release(), "--check", "--diff")
    assert predicted.code == 0, predicted.output
    assert predicted.changed["web1"] > 0, predicted.output
    assert {running(server) for server in SERVERS} == {before}


def test_a_run_of_the_site_undoes_no_deploy(scenario, deploy, release):
    assert deploy(release()).code == 0
    after = running("web1")
    site = scenario.site()
    assert (site.code, sum(site.changed.values())) == (0, 0), site.output
    assert releases(scenario) == {after}


@pytest.mark.parametrize(("ending", "words"), BAD_RELEASES.values(), ids=BAD_RELEASES.keys())
def test_a_bad_release_reaches_one_server_and_is_taken_back(unnoticed, deploy, release, ending, words):
    before = running("web1")
    untouched = pid("web2")
    with unnoticed() as watching:
        done = deploy(release(ending), *QUICKLY)
    assert done.code != 0
    assert words in done.output
    assert f"This host runs {before} again and is healthy" in done.output
    assert "The last lines of its journal" in done.output
    assert running("web1") == before
    assert pid("web2") == untouched
    assert set.union(*watching.out) == {"web1"}


def test_a_migration_that_fails_stops_before_anything_is_switched(unnoticed, deploy, release):
    before, source = running("web1"), release()
    (source / "migrate.py").write_text("import sys\nsys.exit('the table is locked')\n")
    with unnoticed() as watching:
        done = deploy(source)
    assert done.code != 0
    assert "the table is locked" in done.output
    assert {running(server) for server in SERVERS} == {before}
    assert set.union(*watching.out) == set()


@pytest.fixture
def started(release, tmp_path):
    """A deploy that goes on in a process of its own."""

    @contextlib.contextmanager
    def start():
        source = release()
        inventories = [option for path in INVENTORIES for option in ("-i", str(path))]
        settings = ["-e", f"webinfra_state_directory={STATE}/state", "-e", f"deploy_source={source}"]
        command = ["ansible-playbook", *inventories, "webinfra.stack.deploy", *settings]
        # Into a file: what outlives a killed run would keep a pipe open.
        with (tmp_path / "output").open("w") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, start_new_session=True, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield process, source
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    return start


@pytest.mark.parametrize(
    "moment",
    [
        lambda: on("web1", "ls", "/var/lib/webinfra/deploys", check=False),
        lambda: "web1" in overrides(),
        lambda: "web2" in overrides(),
    ],
    ids=["when it has the lock", "when a server is out", "when the second server is out"],
)
def test_a_deploy_that_was_killed_is_completed_by_the_next_one(scenario, unnoticed, deploy, started, moment):
    with unnoticed():
        with started() as (process, source):
            eventually(moment)
            os.killpg(process.pid, signal.SIGKILL)
        done = deploy(source)
    assert done.code == 0, done.output
    (release_name,) = releases(scenario)
    assert {running(server) for server in SERVERS} == {release_name}


def test_two_deploys_at_once_are_one(unnoticed, deploy, release, started, tmp_path):
    other = release(name="other")
    with unnoticed(), started() as (process, _source):
        eventually(lambda: on("web1", "ls", "/var/lib/webinfra/deploys", check=False))
        second = deploy(other)
        process.wait(timeout=120)
    assert second.code != 0
    assert re.search(r"Somebody else deploys guest_book: \S+@\S+: deploy", second.output), second.output
    assert sum(second.changed.values()) == 0, second.output
    assert process.returncode == 0, (tmp_path / "output").read_text()


@contextlib.contextmanager
def small_disk(server):
    """Give the releases of a server a file system with less room than must stay free."""
    on(server, "sh", "-ec", "cp -a /srv/guest_book /root/kept; mount -t tmpfs -o size=48m tmpfs /srv/guest_book")
    try:
        on(server, "sh", "-ec", "cp -a /root/kept/. /srv/guest_book")
        yield
    finally:
        on(server, "sh", "-ec", "umount --lazy /srv/guest_book; rm -rf /root/kept")


def test_a_full_disk_stops_before_anything_is_switched(unnoticed, deploy, release):
    before = running("web1")
    with unnoticed() as watching, small_disk("web3"):
        done = deploy(release())
        assert {running(server) for server in SERVERS} == {before}
    assert done.code != 0
    assert "There is no room for the release on this host" in done.output
    assert set.union(*watching.out) == set()


def test_with_a_server_down_nothing_is_touched_and_the_others_can_be_told_to_go_on(
    scenario, unnoticed, deploy, release
):
    source = release()
    with unnoticed():
        on("web3", "systemctl", "stop", "guest_book.service")
        try:
            if not scenario.host("lb1").exists("nginx"):
                refused = deploy(source)
                assert (refused.code != 0, sum(refused.changed.values())) == (True, 0), refused.output
                assert "lb1 finds web3 down" in refused.output
            done = deploy(source, "--limit", "all:!web3")
            assert done.code == 0, done.output
            assert running("web1") == running("web2") != running("web3")
        finally:
            on("web3", "systemctl", "start", "guest_book.service")
        assert deploy(source).code == 0


def test_what_somebody_has_taken_out_stays_out(scenario, unnoticed, deploy, release):
    assert scenario.play("webinfra.stack.drain", "-e", "host=web3", "-e", "drain_reason=new disk").code == 0
    with unnoticed(beside={"web3"}):
        done = deploy(release())
    assert done.code == 0, done.output
    assert overrides()["web3"]["reason"] == "new disk"
    assert scenario.play("webinfra.stack.ready", "-e", "host=web3").code == 0


@pytest.mark.parametrize("kind", ["restart", "upgrade"])
def test_a_restart_of_the_tier_is_not_noticed(scenario, unnoticed, kind):
    processes = {pid(server) for server in SERVERS}
    with unnoticed():
        done = scenario.play("webinfra.stack.restart_web", "-e", f"web_app_restart_kind={kind}")
    assert done.code == 0, done.output
    assert processes.isdisjoint(pid(server) for server in SERVERS)


HOSTILE = {
    "QUOTES": """'single' "double" `back` \\ \\n \\" \\'""",
    "LINES": "one\ntwo\n\nfour",
    "EXPANSIONS": "$(touch /tmp/executed) `touch /tmp/executed` ${PATH} $PATH %h %i %% ~",
    "BRACES": "{{ 7 * 7 }} {% raw %} {# a #} }} ]",
    "FOREIGN": "\u00fc \u65e5\u672c\u8a9e \U0001f600",
    "SPACES": "  in front and behind\t ",
    "SEMICOLONS": "a; b # c = d",
    "LONG": "0123456789" * 1000,
    "EMPTY": "",
}


def test_what_the_application_is_told_arrives_literally(scenario, unnoticed):
    # What Ansible itself would compute is told as text.
    given = {name: value.replace("{", "{{ '{' }}") for name, value in HOSTILE.items()}
    extra = {"hostile": given, "webinfra_app": "{{ webinfra_sample_app | combine({'environment': hostile}) }}"}
    with unnoticed():
        done = scenario.site("-e", json.dumps(extra))
    assert done.code == 0, done.output
    for server in SERVERS:
        environ = f"/proc/{pid(server).removeprefix('MainPID=')}/environ"
        arrived = dict(each.split("=", 1) for each in on(server, "cat", environ).split("\0") if each)
        assert {name: arrived.get(name) for name in HOSTILE} == HOSTILE
        assert on(server, "find", "/", "-xdev", "-name", "executed") == ""
    again = scenario.site()
    assert again.code == 0, again.output


def test_the_unit_is_exposed_to_little(scenario):
    for server in SERVERS:
        exposure = on(server, "systemd-analyze", "security", "guest_book.service")
        level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", exposure)
        log.info("%s: %s", server, level[0])
        assert float(level[1]) <= 2.5, exposure


def test_releases_are_shown(scenario):
    shown = scenario.play("webinfra.stack.deploy_status")
    assert shown.code == 0, shown.output
    assert f"├─ web1  runs {running('web1')}" in shown.output


def test_a_run_on_another_controller_is_not_taken_for_dead(scenario, deploy, release):
    lock = {"holder": "another-boot:1:1", "verb": "deploy", "requested_by": "bert@there", "since": "noon"}
    on("web2", "sh", "-c", f"echo '{json.dumps(lock)}' > /var/lib/webinfra/deploys/guest_book.json")
    source = release()
    refused = deploy(source)
    assert "bert@there: deploy, since noon" in refused.output
    assert refused.code != 0
    broken = deploy(source, "-e", "deploy_break_lock=true")
    assert broken.code == 0, broken.output
