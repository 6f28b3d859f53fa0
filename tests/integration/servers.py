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

PREFIX = os.environ.get("WEBINFRA_TEST_PREFIX", "webinfra-")
PASSWORD = "a'\"\\%s{} x`;-- z"
"""Everything that breaks a statement that is put together by hand."""
MODULES = "ansible_collections.webinfra.stack.plugins.modules"
_START_SECONDS = 90

Result = dict[str, t.Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineImage:
    """Which package of which release."""

    name: str
    suite: str
    package: str
    longest_password: int

    @property
    def mysql(self) -> bool:
        return self.package == "mysql-server"

    @property
    def tag(self) -> str:
        return f"webinfra-test-database:{self.name}"


ENGINES = {
    image.name: image
    for image in (
        EngineImage(name="mariadb-10.11", suite="bookworm", package="mariadb-server", longest_password=96),
        EngineImage(name="mariadb-11.8", suite="trixie", package="mariadb-server", longest_password=96),
        EngineImage(name="mysql-9.7", suite="sid", package="mysql-server", longest_password=32),
    )
}


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"docker {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def build(image: EngineImage) -> None:
    """Build on the public image, or on a local rootfs of the release where there is one."""
    local = subprocess.run(["docker", "image", "inspect", f"rootfs:{image.suite}"], capture_output=True, check=False)
    base = f"debian:{image.suite}-slim" if local.returncode else f"rootfs:{image.suite}"
    arguments = ["--build-arg", f"BASE={base}", "--build-arg", f"PACKAGE={image.package}"]
    docker("build", "--quiet", *arguments, "--tag", image.tag, str(Path(__file__).parent))


class Pair:
    """db1 and db2 of one engine."""

    def __init__(self, image: EngineImage, network: str, shared: Path) -> None:
        self.image = image
        self.network = network
        self.folder = shared / image.name
        self.ca_file = self.folder / "ca.pem"
        self.addresses: dict[str, str] = {}
        self._roots: dict[str, pymysql.connections.Connection[pymysql.cursors.DictCursor]] = {}

    def start(self) -> None:
        build(self.image)
        self.folder.mkdir(mode=0o755)
        for number, name in enumerate(("db1", "db2"), start=1):
            sockets = self.folder / name
            sockets.mkdir(mode=0o755)
            docker(
                *("run", "--detach", "--name", self.container(name), "--hostname", name, "--network", self.network),
                *("--volume", f"{sockets}:/run/mysqld", self.image.tag, str(number), "--read-only=1"),
            )
            template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
            self.addresses[name] = docker("inspect", "--format", template, self.container(name))

    def wait(self) -> None:
        """Wait until both take logins, and give everybody the authority under one path."""
        for name in self.addresses:
            deadline = time.monotonic() + _START_SECONDS
            while True:
                try:
                    self.sql(name, "SELECT 1")
                    break
                except pymysql.MySQLError:
                    if time.monotonic() > deadline:
                        pytest.fail(f"{name} ({self.image.name}) did not start: {self.logs(name)}")
                    time.sleep(0.3)
            docker("exec", self.container(name), "mkdir", "-p", str(self.folder))
            docker("exec", self.container(name), "cp", "/tls/ca.pem", str(self.ca_file))
        docker("cp", f"{self.container('db1')}:/tls/ca.pem", str(self.ca_file))

    def restart(self, name: str, option: str) -> None:
        """Restart a server with one more option in its configuration, for good."""
        setting = f"printf '[mysqld]\\n{option}\\n' > /etc/mysql/conf.d/contract.cnf"
        docker("exec", self.container(name), "sh", "-c", setting)
        self._roots.pop(name).close()
        docker("restart", self.container(name))
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        self.addresses[name] = docker("inspect", "--format", template, self.container(name))
        self.wait()

    def remove(self) -> None:
        for name in ("db1", "db2"):
            subprocess.run(
                ["docker", "rm", "--force", "--volumes", self.container(name)], capture_output=True, check=False
            )

    def reset(self) -> None:
        """Make both servers new: no source, no data, no accounts, no history, no writes."""
        for name in ("db2", "db1"):
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
            with contextlib.closing(self._connect(name, **login)) as connection:
                return _rows(connection, statement, parameters)
        if name not in self._roots:
            self._roots[name] = self._connect(name, user="root", password=b"secret")
        return _rows(self._roots[name], statement, parameters)

    def _connect(self, name: str, **login: t.Any) -> pymysql.connections.Connection[pymysql.cursors.DictCursor]:
        return pymysql.connect(
            host=self.addresses[name],
            autocommit=True,
            cursorclass=pymysql.cursors.DictCursor,
            connect_timeout=3,
            read_timeout=20,
            **{"user": "root", "password": b"secret", **login},
        )

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
        replication: Result = result["replication"]
        replication.pop("uptime_seconds")
        return replication

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


def _rows(
    connection: pymysql.connections.Connection[pymysql.cursors.DictCursor],
    statement: str,
    parameters: tuple[t.Any, ...],
) -> list[dict[str, t.Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def run_module(module: str, *, check: bool, **options: t.Any) -> Result:
    entry = importlib.import_module(f"{MODULES}.{module}")
    printed = io.StringIO()
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": True}
    with patch_module_args(arguments), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        entry.main()
    result: Result = json.loads(printed.getvalue())
    assert PASSWORD not in json.dumps(result["invocation"]), "a password is shown"
    result.pop("invocation")
    assert json.dumps(PASSWORD)[1:-1] not in json.dumps(result), "a password is shown"
    return result
