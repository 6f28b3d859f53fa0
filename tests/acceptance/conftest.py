# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo as its users see it: a URL, playbooks on .demo/inventory.yml, and hosts that can be stopped."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import functools
import json
import subprocess
import threading
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

import pytest
import yaml

from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.play import ROOT, Play, run_playbook

if t.TYPE_CHECKING:
    from pathlib import Path

INVENTORY = ROOT / ".demo" / "inventory.yml"
PAUSE_SECONDS = 0.02
"""Between two requests of a client: the machine has a stack to run as well."""
ECHO_SERVER = ROOT / "tests" / "acceptance" / "echo_server.py"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: t.Mapping[str, str]
    text: str

    @property
    def server(self) -> str:
        return self.headers.get("X-Served-By", "?")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


class Demo:
    """The running demo."""

    def __init__(self) -> None:
        variables = yaml.safe_load(INVENTORY.read_text())["all"]["vars"]
        self.url: str = variables["webinfra_public_url"]
        self.provider: str = variables["load_balancer_provider"]
        self._opener = urllib.request.build_opener(NoRedirect)

    def request(
        self, path: str = "/", form: dict[str, str] | None = None, *, headers: dict[str, str] | None = None
    ) -> Answer:
        body = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(self.url + path, data=body, headers=headers or {})  # noqa: S310 - the demo's own
        try:
            with self._opener.open(request, timeout=15) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.headers, answer.read().decode())

    def answers(self) -> bool:
        try:
            return self.request("/healthz").status == 200
        except OSError:
            return False

    def servers_of(self, requests: int, path: str = "/healthz") -> collections.Counter[str]:
        """Ask so many times; return who answered how often. Anything but 200 counts under its status."""
        answers = [self.request(path) for _ in range(requests)]
        return collections.Counter(answer.server if answer.status == 200 else str(answer.status) for answer in answers)

    def docker(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(["docker", *words], input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
        return done.stdout

    def on(self, host: str, *words: str) -> str:
        return self.docker("exec", f"webinfra-demo-{host}", *words)

    def sql(self, host: str, statement: str) -> str:
        client = (
            "mariadb"
            if "mariadb" in self.on(host, "sh", "-c", "ls /usr/bin/mariadb /usr/bin/mysql 2>/dev/null")
            else "mysql"
        )
        return self.on(host, client, "--batch", "--skip-column-names", "--execute", statement)

    def secret(self, name: str) -> str:
        return (ROOT / ".demo" / "state" / "secrets" / name).read_text().strip()

    @contextlib.contextmanager
    def stopped(self, host: str) -> t.Iterator[None]:
        self.docker("stop", "--time", "5", f"webinfra-demo-{host}")
        try:
            yield
        finally:
            self.docker("start", f"webinfra-demo-{host}")

    def play(self, playbook: str, *options: str, inventories: t.Sequence[Path] = ()) -> Play:
        return run_playbook([INVENTORY, *inventories], playbook, *options)

    def site(self, *options: str, **keywords: t.Any) -> Play:
        return self.play("site.yml", *options, **keywords)

    def verify(self) -> Play:
        return self.play("webinfra.stack.verify")


eventually = functools.partial(waiting.eventually, seconds=20)


@pytest.fixture(scope="session")
def demo() -> Demo:
    if not INVENTORY.exists():
        pytest.fail("There is no demo: run make demo first")
    return Demo()


@pytest.fixture
def overlay(tmp_path):
    """An inventory that is laid over the demo's: host variables by host."""

    def write(hosts: dict[str, dict[str, t.Any]], variables: dict[str, t.Any] | None = None) -> Path:
        path = tmp_path / "overlay.yml"
        path.write_text(json.dumps({"all": {"vars": variables or {}, "hosts": hosts}}))
        return path

    return write


@contextlib.contextmanager
def steady_requests(demo, *, writing: bool = False) -> t.Iterator[collections.Counter[str]]:
    """Ask all the time, and write if asked to; what is yielded counts who answered, and whatever was no answer."""
    counted: collections.Counter[str] = collections.Counter()
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(PAUSE_SECONDS):
            counted.update(demo.servers_of(1))

    def write() -> None:
        while not ended.wait(PAUSE_SECONDS):
            answer = demo.request("/entries", {"name": "steady", "message": "hello again"})
            counted.update([answer.server if answer.status == 303 else f"POST {answer.status}"])

    with concurrent.futures.ThreadPoolExecutor() as pool:
        clients = [pool.submit(ask) for _ in range(2)] + ([pool.submit(write)] if writing else [])
        try:
            yield counted
        finally:
            ended.set()
    for client in clients:
        client.result()


@contextlib.contextmanager
def without_applications(demo, *hosts: str) -> t.Iterator[None]:
    for host in hosts:
        demo.on(host, "systemctl", "stop", "guest_book.service")
    try:
        yield
    finally:
        for host in hosts:
            demo.on(host, "systemctl", "start", "guest_book.service")
        eventually(lambda: demo.servers_of(20).keys() == {"web1", "web2"}, seconds=40)


@pytest.fixture
def echo(demo):
    """A server in the place of web2's application, and nobody beside it."""
    demo.docker(
        "exec", "--interactive", "webinfra-demo-web2", "sh", "-c", "cat > /run/echo.py", stdin=ECHO_SERVER.read_text()
    )
    with without_applications(demo, "web1", "web2"):
        demo.on("web2", "systemd-run", "--unit=echo", "/usr/bin/python3", "/run/echo.py", "10.213.80.22", "8000")
        try:
            eventually(lambda: demo.servers_of(5) == {"echo": 5}, seconds=20)
            yield demo
        finally:
            demo.on("web2", "systemctl", "stop", "echo.service")
