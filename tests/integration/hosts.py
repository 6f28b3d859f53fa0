# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts with one engine: systemd runs the server, and what works on a host itself is run there."""

from __future__ import annotations

import dataclasses
import functools
import json
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

import ansible
import pymysql

from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.integration.servers import PASSWORD, Restarted, docker

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.tests.integration.servers import Result

DATA = "/var/lib/mysql"
_LIBRARY = "/modules"
_MOUNTED = {
    "ansible": Path(ansible.__file__).parent,
    "pymysql": Path(pymysql.__file__).parent,
    "ansible_collections/webinfra/stack": Path(__file__).resolve().parents[2],
}
"""All that a module needs besides Python."""
_RUNNER = f"{_LIBRARY}/ansible_collections/webinfra/stack/tests/integration/on_host.py"
# As the role container_hosts runs its hosts.
_AS_A_HOST = (
    *("--env=SYSTEMD=yes", "--cap-add=SYS_ADMIN", "--cgroupns=host", "--tmpfs=/run", "--tmpfs=/run/lock"),
    *("--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined"),
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
)
_KILLED = 128 + 9

eventually = functools.partial(waiting.eventually, seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """When a module is killed: once a function was called so often since the journal names a phase."""

    phase: str | None
    function: str
    calls: int


class Hosts(Restarted):
    """db1, which takes writes, and db2, which is seeded from it."""

    def container_options(self, name: str) -> tuple[str, ...]:
        mounted = [f"--volume={path}:{_LIBRARY}/{where}:ro" for where, path in _MOUNTED.items()]
        return (*_AS_A_HOST, *mounted)

    def server_options(self) -> tuple[str, ...]:
        if self.image.mysql:
            return ("--super-read-only=1", "--plugin-load-add=mysql_clone.so", "--mysqlx=0")
        return ("--read-only=1", "--ignore-db-dirs=.webinfra", "--event-scheduler=ON")

    def container(self, name: str) -> str:
        return super().container(f"host-{name}")

    def logs(self, name: str) -> str:
        return self.on(name, "journalctl", "--lines=20", f"--unit={self.unit}")

    @property
    def engine(self) -> str:
        return "mysql" if self.image.mysql else "mariadb"

    @property
    def unit(self) -> str:
        return f"{self.engine}.service"

    def wait(self) -> None:
        """Wait until both run, and let the tests in."""
        lock = "super_read_only" if self.image.mysql else "read_only"
        entry = f"{self.engine} --init-command='SET GLOBAL {lock} = 0' < /tls/init.sql && echo in || true"
        for name in self.names:
            eventually(lambda name=name: self.on(name, "sh", "-c", entry) == "in")
        super().wait()
        self.reset()

    def on(self, name: str, *words: str) -> str:
        """Run a command on a host."""
        return docker("exec", self.container(name), *words)

    def begin(
        self, module: str, name: str, *, check: bool = False, death: Death | None = None, **options: t.Any
    ) -> subprocess.Popen[str]:
        """Begin to run a module on a host."""
        order = {
            "module": module,
            "arguments": {**options, "_ansible_check_mode": check},
            "death": dataclasses.asdict(death) if death else None,
        }
        surroundings = ("--env", f"PYTHONPATH={_LIBRARY}", "--env", "PYTHONPYCACHEPREFIX=/var/cache/python")
        process = subprocess.Popen(
            ["docker", "exec", "--interactive", *surroundings, self.container(name), "python3", _RUNNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(order))
        process.stdin.close()
        process.stdin = None  # else communicate() writes to it
        return process

    def end(self, process: subprocess.Popen[str], *, killed: bool = False) -> Result:
        """Wait until a module ends, and return what it says; one that is killed says nothing."""
        printed, complaint = process.communicate(timeout=120)
        if killed:
            assert process.returncode == _KILLED, printed + complaint
            return {}
        assert printed, complaint
        assert PASSWORD not in printed
        result: Result = json.loads(printed)
        result.pop("invocation")
        return result

    def seed(
        self,
        *,
        check: bool = False,
        death: Death | None = None,
        donor: bool = True,
        donor_death: Death | None = None,
        **options: t.Any,
    ) -> tuple[Result, Result]:
        """Seed db2 while db1 serves; return what both say. Without a donor it can only finish what was begun."""
        serving = self.serve(donor_death) if donor and not check else None
        seeding = self.seeding(check=check, death=death, donor=donor, **options)
        said = self.end(seeding, killed=death is not None)
        return said, self.end(serving, killed=donor_death is not None) if serving else {}

    def serve(self, death: Death | None = None) -> subprocess.Popen[str]:
        addresses = {"address": self.addresses["db1"], "target": self.addresses["db2"]}
        return self.begin("seed_donor", "db1", death=death, **addresses, **_channel())

    def seeding(
        self, *, check: bool = False, death: Death | None = None, donor: bool = True, **options: t.Any
    ) -> subprocess.Popen[str]:
        given = {"donor": self.addresses["db1"], "donor_password": PASSWORD} if donor else {}
        asked = {"engine": self.engine, **given, **_channel(), **options}
        return self.begin("replica_seed", "db2", check=check, death=death, **asked)

    def info(self, name: str) -> Result:
        """Return what a server says of itself on its host, where nobody has to be let in."""
        return self.end(self.begin("replication_info", name))

    def names_in(self, path: str) -> list[str]:
        """Return what is in a directory of db2."""
        found = self.on("db2", "sh", "-c", f"[ ! -d {path} ] || ls -A {path}")
        return found.split()

    def seeder(self) -> dict[str, t.Any]:
        """Return the account that reads all rows, and on MySQL clones them."""
        rights = ["SELECT", "REPLICATION CLIENT", "PROCESS", *(["BACKUP_ADMIN"] if self.image.mysql else [])]
        privileges = [{"object": "*.*", "grant": rights}]
        return {"name": "seeding", "hosts": ["%"], "password": PASSWORD, "privileges": privileges}


def _channel() -> dict[str, t.Any]:
    files = {"channel_ca_file": "ca.pem", "channel_certificate": "server.pem", "channel_key": "server.key"}
    return {"channel_wait": 20, **{option: f"/tls/{name}" for option, name in files.items()}}


__all__ = ("DATA", "Death", "Hosts")
