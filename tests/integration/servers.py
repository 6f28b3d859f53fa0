# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two containers with one engine, and the modules run against them."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pymysql.cursors
import pytest
from ansible.module_utils.testing import patch_module_args

if t.TYPE_CHECKING:
    import collections.abc as c

PREFIX = os.environ.get("WEBINFRA_TEST_PREFIX", "webinfra-")
PASSWORD = "a'\"\\%s{} x`;-- z"
"""Everything that breaks a statement that is put together by hand."""
MODULES = "ansible_collections.webinfra.stack.plugins.modules"
_START_SECONDS = 90

Result = dict[str, t.Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineImage:
    """Which packages of which release."""

    name: str
    suite: str
    packages: str
    longest_password: int

    @property
    def mysql(self) -> bool:
        return self.packages == "mysql-server"

    @property
    def tag(self) -> str:
        return f"webinfra-test-database:{self.name}"


ENGINES = {
    image.name: image
    for image in (
        EngineImage(
            name="mariadb-10.11", suite="bookworm", packages="mariadb-server mariadb-backup", longest_password=96
        ),
        EngineImage(name="mariadb-11.8", suite="trixie", packages="mariadb-server mariadb-backup", longest_password=96),
        EngineImage(name="mysql-9.7", suite="sid", packages="mysql-server", longest_password=32),
    )
}


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"docker {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def build(image: EngineImage) -> None:
    """Build on the image of a host with this release, which ``make integration`` provides."""
    arguments = ["--build-arg", f"BASE=webinfra-host:{image.suite}", "--build-arg", f"PACKAGES={image.packages}"]
    docker("build", "--quiet", *arguments, "--tag", image.tag, str(Path(__file__).parent))


class Pair:
    """db1 and db2 of one engine."""

    names: t.ClassVar[tuple[str, ...]] = ("db1", "db2")

    def __init__(self, image: EngineImage, network: str, shared: Path) -> None:
        self.image = image
        self.network = network
        self.folder = shared / image.name
        self.ca_file = self.folder / "ca.pem"
        self.addresses: dict[str, str] = {}
        self._roots: dict[str, pymysql.connections.Connection[pymysql.cursors.DictCursor]] = {}

    @contextlib.contextmanager
    def there(self) -> c.Iterator[t.Self]:
        """Start the servers on a network of their own, after what a killed run has left, and remove all at the end."""
        build(self.image)
        self.remove()
        docker("network", "create", self.network)
        try:
            self.start()
            yield self
        finally:
            self.remove()

    def start(self) -> None:
        self.folder.mkdir(mode=0o755, parents=True)
        for number, name in enumerate(self.names, start=1):
            docker(
                *("run", "--detach", "--name", self.container(name), "--hostname", name, "--network", self.network),
                *(*self.container_options(name), self.image.tag, str(number), *self.server_options()),
            )
            self._locate(name)

    def container_options(self, name: str) -> tuple[str, ...]:
        """Make the server's socket visible here."""
        sockets = self.folder / name
        sockets.mkdir(mode=0o755)
        return ("--volume", f"{sockets}:/run/mysqld")

    def server_options(self) -> tuple[str, ...]:
        return ("--read-only=1",)

    def wait(self) -> None:
        """Wait until all take logins, and give everybody the authority under one path."""
        for name in self.addresses:
            self._await(name)
            docker("exec", self.container(name), "mkdir", "-p", str(self.folder))
            docker("exec", self.container(name), "cp", "/tls/ca.pem", str(self.ca_file))
        docker("cp", f"{self.container('db1')}:/tls/ca.pem", str(self.ca_file))

    def restart(self, name: str, option: str) -> None:
        """Restart a server with one more option in its configuration, for good."""
        setting = f"printf '[mysqld]\\n{option}\\n' > /etc/mysql/conf.d/contract.cnf"
        docker("exec", self.container(name), "sh", "-c", setting)
        self._roots.pop(name).close()
        docker("restart", self.container(name))
        self._locate(name)
        self.wait()

    def remove(self) -> None:
        known = docker("container", "ls", "--all", "--format", "{{.Names}}").split()
        if left := [container for container in map(self.container, self.names) if container in known]:
            docker("container", "rm", "--force", "--volumes", *left)
        if self.network in docker("network", "ls", "--format", "{{.Name}}").split():
            docker("network", "rm", self.network)

    def reset(self) -> None:
        """Make all servers new."""
        for name in reversed(self.names):
            self.renew(name)

    def renew(self, name: str) -> None:
        """Make a server new: no source, no data, no accounts, no history, no writes."""
        self.forget_source(name)
        self.sql(name, f"SET GLOBAL {'super_read_only' if self.image.mysql else 'read_only'} = 0")
        self.sql(name, "SET GLOBAL read_only = 0")
        for row in self.sql(name, "SHOW DATABASES"):
            if row["Database"] not in ("mysql", "sys", "information_schema", "performance_schema"):
                self.sql(name, "DROP DATABASE `" + row["Database"].replace("`", "``").replace("%", "%%") + "`")
        system = "'root', 'mysql', 'mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema'"
        for row in self.sql(name, f"SELECT User, Host FROM mysql.user WHERE User NOT IN ({system})"):
            self.sql(name, "DROP USER %s@%s", row["User"], row["Host"])
        self.clear_history(name)
        self.sql(name, "SET GLOBAL read_only = 1")

    def _locate(self, name: str) -> None:
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        self.addresses[name] = docker("inspect", "--format", template, self.container(name))

    def _await(self, name: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.sql(name, "SELECT 1")
                break
            except pymysql.MySQLError:
                if time.monotonic() > deadline:
                    pytest.fail(f"{name} ({self.image.name}) did not start: {self.logs(name)}")
                time.sleep(0.1)

    def forget_source(self, name: str) -> None:
        word = "REPLICA" if self.image.mysql else "SLAVE"
        self.sql(name, f"STOP {word}")
        self.sql(name, f"RESET {word} ALL")

    def clear_history(self, name: str) -> None:
        if self.image.mysql:
            self.sql(name, "RESET BINARY LOGS AND GTIDS")
        else:
            self.sql(name, "RESET MASTER")
            self.sql(name, "SET GLOBAL gtid_slave_pos = ''")

    def stop_applier(self, name: str) -> None:
        self.sql(name, f"STOP {'REPLICA' if self.image.mysql else 'SLAVE'} SQL_THREAD")

    def container(self, name: str) -> str:
        return f"{PREFIX}{self.image.name}-{name}"

    def logs(self, name: str) -> str:
        done = subprocess.run(
            ["docker", "logs", "--tail", "20", self.container(name)], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def sql(self, name: str, statement: str, *parameters: t.Any, **login: t.Any) -> list[dict[str, t.Any]]:
        """Run a statement as root, or as somebody else."""
        if login:
            with contextlib.closing(self.connect(name, **login)) as connection:
                return _rows(connection, statement, parameters)
        if name not in self._roots:
            self._roots[name] = self.connect(name, user="root", password=b"secret")
        return _rows(self._roots[name], statement, parameters)

    def connect(self, name: str, **login: t.Any) -> pymysql.connections.Connection[pymysql.cursors.DictCursor]:
        return pymysql.connect(
            host=self.addresses[name],
            autocommit=True,
            cursorclass=pymysql.cursors.DictCursor,
            connect_timeout=3,
            read_timeout=20,
            **{"user": "root", "password": b"secret", **login},
        )

    def catch_up(self) -> None:
        """Wait until the replica has applied all that the primary has now."""
        position, wait = (
            ("@@gtid_executed", "WAIT_FOR_EXECUTED_GTID_SET")
            if self.image.mysql
            else ("@@gtid_current_pos", "MASTER_GTID_WAIT")
        )
        ((reached,),) = (row.values() for row in self.sql("db1", f"SELECT {position}"))
        ((outcome,),) = (row.values() for row in self.sql("db2", f"SELECT {wait}(%s, 20)", reached))
        assert outcome == 0, f"db2 has not applied {reached} within 20 s"

    def write_on_replica(self, statement: str, *, logged: bool = True) -> None:
        """Write as an administrator can where nobody should; without the log no history shows it."""
        if self.image.mysql:
            self.sql("db2", "SET GLOBAL super_read_only = 0")
        self.sql("db2", statement, init_command=f"SET SESSION sql_log_bin = {int(logged)}")
        if self.image.mysql:
            self.sql("db2", "SET GLOBAL super_read_only = 1")

    def run(self, module: str, name: str, *, check: bool = False, **options: t.Any) -> Result:
        """Run a module against one of the servers, over TCP with TLS."""
        login = {
            "login_host": self.addresses[name],
            "login_password": "secret",
            "ca_file": str(self.ca_file),
        }
        return run_module(module, check=check, **{**login, **options})

    def check(self, *, check: bool = False, **options: t.Any) -> Result:
        """Run the check of both servers with the account that is made for it."""
        servers = [{"name": name, "host": address} for name, address in self.addresses.items()]
        login = {"login_user": "monitoring", "login_password": PASSWORD, "ca_file": str(self.ca_file)}
        return run_module("replication_check", check=check, **{"servers": servers, **login, **options})

    def status(self, name: str) -> Result:
        """Return what a server says of itself, without what moves by itself."""
        result = self.run("replication_info", name)
        assert result["changed"] is False
        return at_rest(result)

    def following(self, **options: t.Any) -> dict[str, t.Any]:
        return {
            "state": "replica",
            "source_host": self.addresses["db1"],
            "replication_user": "replication",
            "replication_password": PASSWORD,
            "source_ca_file": str(self.ca_file),
            "timeout": 15,
            **options,
        }

    def accounts(self, password: str = PASSWORD) -> dict[str, t.Any]:
        """Return the accounts of a whole stack."""
        worker_errors = [{"object": "performance_schema.*", "grant": ["SELECT"]}] if self.image.mysql else []
        return {
            "databases": [{"name": "app_db"}, {"name": "we`ird-100%s"}],
            "canary_database": "webinfra",
            "accounts": [
                {
                    "name": "replication",
                    "hosts": ["%"],
                    "password": password,
                    "privileges": [{"object": "*.*", "grant": ["REPLICATION REPLICA"]}],
                },
                {
                    "name": "monitoring",
                    "hosts": ["%"],
                    "password": PASSWORD,
                    "privileges": [
                        {"object": "*.*", "grant": ["REPLICATION CLIENT", "PROCESS"]},
                        {"object": "webinfra.canary", "grant": ["SELECT", "INSERT", "UPDATE"]},
                        {"object": "webinfra.heartbeat", "grant": ["SELECT"]},
                        *worker_errors,
                    ],
                },
                {
                    "name": "app",
                    "hosts": ["%", "10.99.0.1"],
                    "password": PASSWORD,
                    "privileges": [
                        {"object": "app_db.*", "grant": ["SELECT", "INSERT", "CREATE"]},
                        {"object": "we`ird-100%s.*", "grant": ["CREATE"]},
                    ],
                },
                {"name": "router_check", "hosts": ["%"], "tls_required": False},
            ],
        }


class Restarted(Pair):
    """Servers that are restarted, or cut their clients, while a test goes on."""

    def sql(self, name: str, statement: str, *parameters: t.Any, **login: t.Any) -> list[dict[str, t.Any]]:
        """Run a statement; a root whose connection has ended since the last one comes back."""
        try:
            return super().sql(name, statement, *parameters, **login)
        except (pymysql.OperationalError, pymysql.InterfaceError):
            if login or self._roots.pop(name, None) is None:
                raise
            return super().sql(name, statement, *parameters)


def _rows(
    connection: pymysql.connections.Connection[pymysql.cursors.DictCursor],
    statement: str,
    parameters: tuple[t.Any, ...],
) -> list[dict[str, t.Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def at_rest(result: Result) -> Result:
    """Return what a server has said of itself, without what moves by itself."""
    moving = ("uptime_seconds", "clock", "heartbeat_age_seconds", "beat_of_another")
    return {name: value for name, value in result["replication"].items() if name not in moving}


def run_module(module: str, *, check: bool, **options: t.Any) -> Result:
    entry = importlib.import_module(f"{MODULES}.{module}")
    printed = io.StringIO()
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
    with patch_module_args(arguments), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        entry.main()
    assert json.dumps(PASSWORD)[1:-1] not in printed.getvalue(), "a password is shown"
    result: Result = json.loads(printed.getvalue())
    assert PASSWORD not in _texts(result), "a password is shown"
    result.pop("invocation")
    return result


def _texts(value: t.Any) -> str:
    """Return all texts of a result, as they are and not as JSON writes them."""
    if isinstance(value, dict):
        return "\n".join(_texts(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return "\n".join(map(_texts, value))
    return str(value)
