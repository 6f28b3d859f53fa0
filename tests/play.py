# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that was run, as the one who ran it sees it."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Play:
    code: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        """How many results changed something, by host, as the recap says it."""
        recap = re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", self.output, re.MULTILINE)
        return {host: int(count) for host, count in recap}


def run_playbook(inventories: t.Iterable[Path], playbook: str, *options: str) -> Play:
    """Run it as a user does, with plain output whatever surrounds the test."""
    sources = [option for path in inventories for option in ("-i", str(path))]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_FORCE_COLOR": "0"}
    command = ["ansible-playbook", *sources, playbook, *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return Play(done.returncode, done.stdout + done.stderr)
