# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three servers of one engine, between which the primary moves, and clients that go on writing meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves import acts, conductor
from ansible_collections.webinfra.stack.tests.integration.servers import PASSWORD, Restarted, docker, run_module
from ansible_collections.webinfra.stack.tests.waiting import eventually

if t.TYPE_CHECKING:
    import collections.abc as c

    import pymysql

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.moves.steps import MoveStep
    from ansible_collections.webinfra.stack.tests.integration.servers import Result

NAMES = ("db1", "db2", "db3")
_ACCOUNTS = yaml.safe_load((Path(__file__).parents[2] / "playbooks/roles/wiring/vars/main/accounts.yml").read_text())
_ON_BOTH = ("--read-only=1", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", "--event-scheduler=ON")
# As the role configures them: without short limits a replica does not let go of a source that is dead.
_ON_MYSQL = (
    "--plugin-load-add=semisync_source.so",
    "--plugin-load-add=semisync_replica.so",
    "--replica-net-timeout=2",
    "--loose-rpl-semi-sync-replica-enabled=ON",
)
_ON_MARIADB = (
    "--slave-parallel-threads=4",
    "--slave-net-timeout=2",
    "--rpl-semi-sync-slave-kill-conn-timeout=1",
    "--init-rpl-role=SLAVE",
    "--rpl-semi-sync-slave-enabled=ON",
)
_SWITCHES_OF_MYSQL = ("rpl_semi_sync_source_enabled", "rpl_semi_sync_replica_enabled")
_SWITCHES_OF_MARIADB = ("rpl_semi_sync_master_enabled", "rpl_semi_sync_slave_enabled")
_ALLOWED_SECONDS = 90


class Trio(Restarted):
    """db1, db2 and db3 of one engine."""

    names = NAMES

    def container_options(self, name: str) -> tuple[str, ...]:
        return ()

    def server_options(self) -> tuple[str, ...]:
        return (*_ON_BOTH, *(_ON_MYSQL if self.image.mysql else _ON_MARIADB))

    def container(self, name: str) -> str:
        return super().container(f"trio-{name}")

    @property
    def switches(self) -> tuple[str, str]:
        """Return the variables that let commits wait for replicas, and a replica acknowledge."""
        return _SWITCHES_OF_MYSQL if self.image.mysql else _SWITCHES_OF_MARIADB

    def kill(self, name: str) -> None:
        """End the server process as no handler can notice."""
        docker("kill", "--signal", "KILL", self.container(name))
        self._roots.pop(name).close()

    def revive(self, name: str) -> None:
        if not self._running(name):
            docker("start", self.container(name))
            self._locate(name)
            self._await(name)

    def reset(self) -> None:
        for name in NAMES:
            self.revive(name)
        for name in NAMES:
            for switch in self.switches:
                self.sql(name, f"SET GLOBAL {switch} = 0")
            self.forget_source(name)
        super().reset()

    def replicate(self, durability: str | None = None) -> None:
        """Make db1 the primary of the others, with all accounts and a table."""
        waiting: dict[str, t.Any] = {"durability": durability} if durability else {}
        assert self.run("replication", "db1", state="primary")["changed"]
        accounts = self.accounts()
        accounts["accounts"].append(self.mover())
        assert self.run("database_accounts", "db1", **accounts)["changed"]
        assert not self.run("database_accounts", "db1", **accounts)["changed"]
        self.sql("db1", "CREATE TABLE app_db.t (i BIGINT PRIMARY KEY, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6))")
        for name in ("db2", "db3"):
            self.sql(name, "SET GLOBAL read_only = 1")
            result = self.run("replication", name, **self.following(**waiting))
            assert result["changed"], result
        self.run("replication", "db1", state="primary", canary_database="webinfra", expected_replicas=2, **waiting)
        self.agree()

    def mover(self) -> dict[str, t.Any]:
        """Return the account that moves the primary, with the rights that the site gives it."""
        rights = _ACCOUNTS["__webinfra_mover_privileges"]["mysql" if self.image.mysql else "mariadb"]
        (records,) = _ACCOUNTS["__webinfra_mover_records"]
        privileges = [{"object": "*.*", "grant": rights}, {"object": "webinfra.*", "grant": records["grant"]}]
        return {"name": "mover", "hosts": ["%"], "password": PASSWORD, "privileges": privileges}

    def move(self, module: str, *, check: bool = False, **options: t.Any) -> Result:
        """Run a module that moves the primary, with the account that is made for it."""
        servers = [{"name": name, "host": address} for name, address in self.addresses.items()]
        means = {
            "login_user": "mover",
            "login_password": PASSWORD,
            "ca_file": str(self.ca_file),
            "replication_user": "replication",
            "replication_password": PASSWORD,
            "source_ca_file": str(self.ca_file),
            "requested_by": "a contract test",
        }
        return run_module(module, check=check, **{"servers": servers, **means, **options})

    def stop(self, name: str, thread: str) -> None:
        self.sql(name, f"STOP {'REPLICA' if self.image.mysql else 'SLAVE'} {thread}")

    def errant_write(self, name: str) -> None:
        """Write where nobody should, as an administrator can.

        The heartbeat is silenced first: in its strict mode MariaDB stops the applier at the next transaction.
        """
        if self._running("db1"):
            self.sql("db1", "ALTER EVENT webinfra.heartbeat DISABLE")
            self.agree()
        if self.image.mysql:
            self.sql(name, "SET GLOBAL super_read_only = 0")
        self.sql(name, "CREATE DATABASE stray")
        if self.image.mysql:
            self.sql(name, "SET GLOBAL super_read_only = 1")

    def await_heartbeat(self, *, commits_wait: bool = True) -> None:
        """Wait until all replicas have what the primary says of its commits: it says it once a second."""
        waits = "SELECT COUNT(commit_wait_ms) AS waits FROM webinfra.heartbeat"
        said = [{"waits": int(commits_wait)}]
        eventually(lambda: all(self.sql(name, waits) == said for name in ("db2", "db3")), seconds=10)

    def beating(self) -> list[str]:
        """Return the servers that write the heartbeat."""
        state = "SELECT STATUS AS state FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'webinfra'"
        running = [name for name in self.addresses if self._running(name)]
        return [name for name in running if self.sql(name, state) == [{"state": "ENABLED"}]]

    def await_beat_of(self, name: str) -> None:
        """Wait until only this server writes the heartbeat; the former primary is silenced by what it replicates."""
        eventually(lambda: self.beating() == [name], seconds=10)

    def moves(self, name: str) -> list[tuple[str, str | None, str]]:
        rows = self.sql(name, "SELECT kind, former_primary, new_primary FROM webinfra.moves ORDER BY finished_at")
        return [(row["kind"], row["former_primary"], row["new_primary"]) for row in rows]

    def client(self, name: str, **options: t.Any) -> pymysql.connections.Connection[t.Any]:
        """Return a connection of the application."""
        return self.connect(name, user="app", password=PASSWORD.encode(), ssl={"check_hostname": False}, **options)

    def open_servers(self) -> list[str]:
        running = [name for name in self.addresses if self._running(name)]
        return [name for name in running if not self._closed(name)]

    def roles(self) -> dict[str, str]:
        """Return role and source of every server that runs."""
        return {name: self._role(name) for name in self.addresses if self._running(name)}

    def _role(self, name: str) -> str:
        status = self.status(name)
        if status["source"] is None:
            return str(status["role"])
        assert (status["io_thread"], status["sql_thread"]) == ("running", "running"), status
        return f"replica of {next(other for other, at in self.addresses.items() if at == status['source']['host'])}"

    def _running(self, name: str) -> bool:
        return docker("inspect", "--format", "{{.State.Running}}", self.container(name)) == "true"

    def agree(self, *, seconds: float = 10) -> None:
        """Wait until all servers have the same history."""
        deadline = time.monotonic() + seconds
        running = [name for name in self.addresses if self._running(name)]
        while True:
            # One right after the other: the heartbeat goes on, once a second.
            positions = {name: self.position(name) for name in running}
            if len(set(positions.values())) == 1:
                break
            assert time.monotonic() < deadline, positions
            time.sleep(0.05)

    def position(self, name: str) -> str:
        variable = "gtid_executed" if self.image.mysql else "gtid_current_pos"
        return str(self.sql(name, f"SELECT @@global.{variable} AS position")[0]["position"])

    def lost(self, writers: Writers) -> set[int]:
        """Return the acknowledged rows that some running server does not have."""
        running = [name for name in self.addresses if self._running(name)]
        rows = [{row["i"] for row in self.sql(name, "SELECT i FROM app_db.t")} for name in running]
        return writers.acknowledged - set.intersection(*rows)

    def _closed(self, name: str) -> bool:
        return bool(self.sql(name, "SELECT @@global.read_only AS closed")[0]["closed"])

    @contextlib.contextmanager
    def written_to(self) -> c.Iterator[Writers]:
        secret = self.folder / "app.password"
        secret.write_text(PASSWORD)
        writers = Writers(self.folder / "acknowledged")
        with writers.path.open("w") as acknowledged:
            command = [sys.executable, str(Path(__file__).with_name("writer.py")), str(secret)]
            process = subprocess.Popen([*command, *self.addresses.values()], stdout=acknowledged)
            try:
                yield writers
            finally:
                process.kill()
                process.wait()


class Writers:
    """What clients were told to be safe, while the primary moves."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def acknowledged(self) -> set[int]:
        return {int(number) for number, _moment in self._lines()}

    @property
    def longest_gap(self) -> float:
        moments = sorted(float(moment) for _number, moment in self._lines())
        return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0)

    def go_on(self, rows: int = 50, *, seconds: float = 20) -> None:
        """Wait until so many more rows were acknowledged."""
        wanted = len(self._lines()) + rows
        deadline = time.monotonic() + seconds
        while len(self._lines()) < wanted:
            assert time.monotonic() < deadline, f"only {len(self._lines())} of {wanted} rows were acknowledged"
            time.sleep(0.05)

    def _lines(self) -> list[tuple[str, ...]]:
        lines = self.path.read_text().splitlines(keepends=True)
        return [tuple(line.split()) for line in lines if line.endswith("\n")]


@contextlib.contextmanager
def failing_at(server: str, act: str, error: Exception) -> c.Iterator[None]:
    """Let one step fail once."""
    failures = iter([error])

    def do(step: MoveStep, stand: acts.Stand) -> None:
        if (step.server, step.act.value) == (server, act) and (failure := next(failures, None)):
            raise failure
        acts.do(step, stand)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conductor, "do", do)
        yield


class KilledError(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@contextlib.contextmanager
def killed_at(server: str, act: str, *, after: tuple[str, str] | None = None) -> c.Iterator[None]:
    """End the run before a step, and after one of another server; what runs on other servers ends with it."""
    killed = threading.Event()
    passed = threading.Event()

    def do(step: MoveStep, stand: acts.Stand) -> None:
        doing = (step.server, step.act.value)
        if doing == (server, act):
            assert after is None or passed.wait(10), f"{after} was not done"
            killed.set()
        if killed.is_set():
            raise KilledError
        acts.do(step, stand)
        if doing == after:
            passed.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conductor, "do", do)
        with pytest.raises(KilledError):
            yield


__all__ = ("NAMES", "Trio", "Writers", "failing_at", "killed_at")
