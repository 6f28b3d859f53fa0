# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that is run as a process of its own, as an operator would run it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

_RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", re.MULTILINE)
_RESULT = re.compile(r"^(?:ok|changed|fatal): \[[^\]]+\].*?=> (\{.*\})$", re.MULTILINE)
_TOLD = re.compile(r"^TASK \[(.*?)\] \**$|^(changed|fatal): \[([^\]]+)\](?:.*?=> (\{.*\})$)?", re.MULTILINE)
_TAIL_LINES = 40
# So that its results can be read again, whatever the operator likes to see.
_OUTPUT = {
    "ANSIBLE_STDOUT_CALLBACK": "default",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    "ANSIBLE_CALLBACK_FORMAT_PRETTY": "false",
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_NOCOLOR": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookRun:
    """What came of it."""

    began: float
    """Seconds since 1970, before the process was started."""
    seconds: float
    code: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        """How many results changed something, by host, as the recap says it."""
        return {host: int(count) for host, count in _RECAP.findall(self.output)}

    @property
    def changes(self) -> list[str]:
        """Name the tasks that have changed something, and where."""
        return list(dict.fromkeys(f"{task} on {host}" for task, host, _text in self._told("changed")))

    @property
    def complaints(self) -> list[str]:
        """Say which tasks have failed, where and why."""
        return [f"{task} on {host}: {_message(text)}" for task, host, text in self._told("fatal") if text]

    def _told(self, outcome: str) -> c.Iterator[tuple[str, str, str]]:
        """Yield the task, the host and the result of everything with this outcome."""
        task = ""
        for name, word, host, text in _TOLD.findall(self.output):
            task = name or task
            if word == outcome:
                yield task, host, text

    @property
    def tail(self) -> str:
        return "\n".join(self.output.splitlines()[-_TAIL_LINES:])

    def result_with(self, key: str) -> dict[str, t.Any]:
        """Return the last result of a task that has such a key; an empty one where none has."""
        found: dict[str, t.Any] = {}
        for text in _RESULT.findall(self.output):
            with contextlib.suppress(json.JSONDecodeError):
                result = json.loads(text)
                found = result if key in result else found
        return found


def _message(text: str) -> str:
    try:
        return str(json.loads(text).get("msg", text))
    except json.JSONDecodeError:
        return text


def run_playbook(command: c.Sequence[str], environment: c.Mapping[str, str], timeout: float) -> PlaybookRun:
    """Run it and wait for its end; what has not ended in time is killed, with all that it has started."""
    with tempfile.TemporaryFile() as output:
        began, start = time.time(), time.monotonic()
        process = subprocess.Popen(
            command,
            env={**os.environ, **_OUTPUT, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        seconds = time.monotonic() - start
        output.seek(0)
        said = output.read().decode(errors="replace")
    return PlaybookRun(began=began, seconds=seconds, code=process.returncode, output=said)


__all__ = ("PlaybookRun", "run_playbook")
