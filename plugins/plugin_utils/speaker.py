# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action of which one host of a play takes care for all: the first that answers and sees any of the others."""

from __future__ import annotations

import contextlib
import fcntl
import typing as t
from pathlib import Path

from ansible import constants
from ansible.plugins.action import ActionBase

if t.TYPE_CHECKING:
    import collections.abc as c


class Floor:
    """Who has spoken; held by one host at a time."""

    def __init__(self, stream: t.TextIO) -> None:
        self._stream = stream
        stream.seek(0)
        self.speaker: str = stream.read()

    def taken_from(self, host: str) -> bool:
        """Tell whether somebody else has spoken; the same host may try again."""
        return self.speaker not in ("", host)

    def keep(self, host: str) -> None:
        self._stream.seek(0)
        self._stream.truncate()
        self._stream.write(host)
        self._stream.flush()


@contextlib.contextmanager
def floor(path: Path) -> c.Iterator[Floor]:
    """Wait until nobody speaks; the workers of a run are processes of their own."""
    with path.open("a+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield Floor(stream)
        finally:
            fcntl.flock(stream, fcntl.LOCK_UN)


class SpokenAction(ActionBase):
    """Runs the module of the same name on one host.

    Which one cannot be said beforehand: any of them may be the one that is gone, and a host that is cut off from the
    others would judge of them wrongly.
    """

    TRANSFERS_FILES = False
    module: t.ClassVar[str]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        # A host that does not answer must not keep the others waiting: it is found out before it has the floor.
        self._low_level_execute_command(":", sudoable=False)  # type: ignore[no-untyped-call]
        # One directory a run, shared by its workers. Constants are made when Ansible starts, so no type knows them.
        folder = Path(t.cast("t.Any", constants).DEFAULT_LOCAL_TMP)
        with floor(folder / f"floor-{self._task._uuid}") as held:  # noqa: SLF001
            if held.taken_from(host):
                return {**result, "skipped": True, "skip_reason": f"{held.speaker} takes care of it"}
            outcome: dict[str, t.Any] = self._execute_module(module_name=self.module, task_vars=task_vars)
            if outcome.get("one_sided"):
                return {**result, "skipped": True, "skip_reason": outcome["msg"], "one_sided": True}
            held.keep(host)
        return {**result, **outcome}


__all__ = ("Floor", "SpokenAction", "floor")
