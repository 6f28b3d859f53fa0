# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario's hosts, over the network and from inside, and the playbooks on its inventory."""

from __future__ import annotations

import os
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import testinfra
import yaml

from ansible_collections.webinfra.stack.tests.play import Play, run_playbook

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
STATE = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
NAME = f"webinfra-{SCENARIO.name}"
"""In front of a host's name it is that of its container."""
CONNECTIONS = STATE / "hosts" / "connections.yml"
HOSTS = yaml.safe_load(CONNECTIONS.read_text())["all"]["hosts"]
INVENTORIES = (SCENARIO / "inventory" / "hosts.yml", CONNECTIONS)


class Scenario:
    """The hosts of the scenario."""

    databases = tuple(name for name in HOSTS if name.startswith("db"))

    def __init__(self) -> None:
        self._hosts: dict[str, t.Any] = {}

    def host(self, name: str) -> t.Any:
        if name not in self._hosts:
            self._hosts[name] = testinfra.get_host(f"ansible://{name}?ansible_inventory={CONNECTIONS}")
        return self._hosts[name]

    def address(self, name: str) -> str:
        return HOSTS[name]["ansible_host"]

    def ask(self, path: str = "/", form: dict[str, str] | None = None) -> tuple[t.Mapping[str, str], str]:
        body = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(f"http://{self.address('lb1')}{path}", data=body)
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
            return answer.headers, answer.read().decode()

    def mysql(self, name: str) -> bool:
        return not self.host(name).exists("mariadb")

    def unit(self, name: str) -> str:
        """Return the name of the engine's unit, which its client has as well."""
        return "mysql" if self.mysql(name) else "mariadb"

    def sql(self, name: str, statement: str) -> str:
        return self.host(name).check_output(f"{self.unit(name)} --batch --skip-column-names --execute %s", statement)

    def link(self, replica: str) -> str:
        """Return what a replica says of its link, as text with the names of the fields."""
        return self.host(replica).check_output(f"{self.unit(replica)} --vertical --execute 'SHOW REPLICA STATUS'")

    def can_reach(self, source: str, target: str, port: int) -> bool:
        return self.host(source).run(f"timeout 2 bash -c '</dev/tcp/{self.address(target)}/{port}'").rc == 0

    def play(self, playbook: str, *options: str, inventories: t.Sequence[Path] = INVENTORIES) -> Play:
        state = f"webinfra_state_directory={STATE}/state"
        return run_playbook(inventories, playbook, "-e", state, *options)

    def site(self, *options: str, **keywords: t.Any) -> Play:
        return self.play("site.yml", *options, **keywords)

    def verify(self, *options: str, **keywords: t.Any) -> Play:
        return self.play("webinfra.stack.verify", *options, **keywords)

    def inventories_without(self, name: str, folder: Path) -> list[Path]:
        """Write the scenario's inventory anew, as if a host had left it."""

        def without(part: t.Any) -> t.Any:
            return (
                {key: without(value) for key, value in part.items() if key != name} if isinstance(part, dict) else part
            )

        written = [folder / f"{number}.yml" for number, _path in enumerate(INVENTORIES)]
        for path, copy in zip(INVENTORIES, written, strict=True):
            copy.write_text(yaml.safe_dump(without(yaml.safe_load(path.read_text()))))
        return written
