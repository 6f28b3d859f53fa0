# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of real database servers in containers, one pair an engine, put back to new before every test."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.webinfra.stack.tests.integration.hosts import Hosts
from ansible_collections.webinfra.stack.tests.integration.servers import ENGINES, PREFIX, Pair
from ansible_collections.webinfra.stack.tests.integration.trio import Trio

if t.TYPE_CHECKING:
    import collections.abc as c

CHOSEN = os.environ.get("WEBINFRA_TEST_ENGINES", ",".join(ENGINES)).split(",")
"""One process an engine takes a third of the time."""

_PROBLEM = pytest.StashKey[str]()
_Servers = t.TypeVar("_Servers", bound=Pair)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_PROBLEM] = _problem() or ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[_PROBLEM]:
        terminalreporter.section("CONTRACT TESTS NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(config.stash[_PROBLEM])


def _problem() -> str | None:
    if shutil.which("docker") is None:
        return "There is no docker command: nothing was tested against real database servers."
    answer = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
    return f"Docker does not answer: {answer.stderr.strip()}" if answer.returncode else None


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that has the same path here and in every container."""
    folder = tmp_path_factory.mktemp("shared")
    for path in (folder, *folder.parents):
        if path.owner() != Path("/tmp").owner() or path == Path("/tmp"):  # noqa: S108 (pytest's own base)
            break
        path.chmod(0o755)  # the servers run as another user
    return folder


@pytest.fixture(scope="session")
def pairs(request: pytest.FixtureRequest, shared: Path) -> c.Iterator[dict[str, Pair]]:
    """Start all servers at once, and remove them at the end."""
    if request.config.stash[_PROBLEM]:
        pytest.skip(request.config.stash[_PROBLEM])
    with contextlib.ExitStack() as removal:
        started: dict[str, Pair] = {}
        for engine in CHOSEN:
            pair = Pair(ENGINES[engine], f"{PREFIX}contract-{engine}", shared)
            started[engine] = removal.enter_context(pair.there())
        for pair in started.values():
            pair.wait()
        yield started


@pytest.fixture(params=CHOSEN)
def pair(request: pytest.FixtureRequest, pairs: dict[str, Pair]) -> Pair:
    """Return two closed servers without data, accounts or history."""
    fresh = pairs[request.param]
    fresh.reset()
    return fresh


@pytest.fixture
def replicated(pair: Pair) -> Pair:
    """Return a primary with its accounts and a replica that follows it."""
    assert pair.run("replication", "db1", state="primary")["changed"]
    assert pair.run("database_accounts", "db1", **pair.accounts())["changed"]
    assert pair.run("replication", "db2", **pair.following())["changed"]
    return pair


def _running(request: pytest.FixtureRequest, servers: _Servers) -> c.Iterator[_Servers]:
    if request.config.stash[_PROBLEM]:
        pytest.skip(request.config.stash[_PROBLEM])
    with servers.there():
        servers.wait()
        yield servers


@pytest.fixture(scope="session", params=CHOSEN)
def started_trio(request: pytest.FixtureRequest, shared: Path) -> c.Iterator[Trio]:
    """Start three servers of one engine, and remove them when the next engine's turn comes."""
    yield from _running(request, Trio(ENGINES[request.param], f"{PREFIX}trio-{request.param}", shared / "trio"))


@pytest.fixture
def trio(started_trio: Trio) -> Trio:
    """Return a primary whose commits wait, and two replicas, which acknowledge."""
    started_trio.reset()
    started_trio.replicate("no_loss")
    return started_trio


@pytest.fixture(scope="module", params=CHOSEN)
def hosts(request: pytest.FixtureRequest, shared: Path) -> c.Iterator[Hosts]:
    """Start two hosts with one engine, and remove them when the next engine's turn comes."""
    yield from _running(request, Hosts(ENGINES[request.param], f"{PREFIX}hosts-{request.param}", shared / "hosts"))
