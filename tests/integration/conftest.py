# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of real database servers in containers, one pair an engine, put back to new before every test."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.webinfra.stack.tests.integration.servers import ENGINES, PREFIX, Pair, docker

if t.TYPE_CHECKING:
    import collections.abc as c

CHOSEN = os.environ.get("WEBINFRA_TEST_ENGINES", ",".join(ENGINES)).split(",")
"""One process an engine takes a third of the time."""

_PROBLEM = pytest.StashKey[str]()


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
    network = f"{PREFIX}contract-{os.getpid()}"
    docker("network", "create", network)
    started: dict[str, Pair] = {}
    try:
        for engine in CHOSEN:
            started[engine] = Pair(ENGINES[engine], network, shared)
            started[engine].start()
        for pair in started.values():
            pair.wait()
        yield started
    finally:
        for pair in started.values():
            pair.remove()
        docker("network", "rm", network)


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
