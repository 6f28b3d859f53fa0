#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-lint with syntax checks that do not load Ansible again and again.

ansible-lint starts ansible-playbook for every playbook and every role, and most of what that takes is the import of
Ansible. Here each check is forked from a process that has it loaded; whatever else is started is started as always.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

LOADED = ["ansible.cli.playbook", "ansible.executor.playbook_executor", "ansible.playbook", "ansible.plugins.loader"]


def check(command: list[str], environment: dict[str, str], folder: str) -> t.NoReturn:
    """Be ansible-playbook, in a process of its own."""
    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(Path(folder, name), os.O_WRONLY | os.O_CREAT, 0o600), number)
    importlib.import_module("ansible.cli.playbook").main(command)


def main() -> None:
    # Not above: every check imports this file again.
    linter = importlib.import_module("ansiblelint.__main__")
    runner = importlib.import_module("ansiblelint.runner")
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(LOADED)
    start = subprocess.run

    def run(command: list[str], **options: t.Any) -> subprocess.CompletedProcess[str]:
        if command[:2] != ["ansible-playbook", "--syntax-check"]:
            return start(command, **options)
        with tempfile.TemporaryDirectory() as folder:
            checking = server.Process(target=check, args=(command, dict(options["env"]), folder))
            checking.start()
            checking.join()
            said = [Path(folder, name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(command, checking.exitcode or 0, *said)

    # The runner's own name of the module alone: everybody else keeps subprocess as it is.
    vars(runner)["subprocess"] = type("subprocess", (), {**vars(subprocess), "run": staticmethod(run)})
    sys.argv[0] = "ansible-lint"
    linter._run_cli_entrypoint()  # noqa: SLF001 - what the command itself calls


if __name__ == "__main__":
    main()
