# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.webinfra.stack.plugins.plugin_utils.seeding_progress import Progress, progress_line

_LONGEST_SECONDS = 7 * 24 * 3600
_PAUSE_SECONDS = 1.0
_PROGRESS_FILE = "/var/lib/webinfra/seeding/progress.json"
# Says on a second line when the process that has written the progress is gone.
_PID = rf"""$(sed 's/.*"pid": //; s/[^0-9].*//' {_PROGRESS_FILE})"""
_LOOK = f"cat {_PROGRESS_FILE} 2>/dev/null && {{ echo; kill -0 {_PID} 2>/dev/null; }}"
_GONE_LOOKS = 5
"""A process that has ended is not told by its wrapper at once."""


class ActionModule(ActionBase):
    """Run the module in the background of its host, and show how far it is until it ends.

    It goes on there when the controller is interrupted.
    """

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if self._task.check_mode:
            return {**result, **self._module("webinfra.stack.replica_seed", None, task_vars)}
        self._task.async_val = _LONGEST_SECONDS
        job = self._execute_module(
            module_name="webinfra.stack.replica_seed",
            task_vars=task_vars,
            wrap_async=not self._connection.always_pipeline_modules,
        )
        self._task.async_val = 0
        if job.get("failed") or "ansible_job_id" not in job:
            return {**result, **job}
        outcome = self._watched(job["ansible_job_id"], task_vars)
        return {**result, **{name: value for name, value in outcome.items() if not name.startswith("ansible_job")}}

    def _watched(self, job: str, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        directory = self.get_shell_option("async_dir", default="~/.ansible_async")  # type: ignore[no-untyped-call]
        arguments = {"jid": job, "mode": "status", "_async_dir": directory}
        shown = None
        gone = 0
        while True:
            state = self._module("ansible.legacy.async_status", arguments, task_vars)
            if state.get("finished") or state.get("failed"):
                break
            progress, alive = self._progress()
            gone = 0 if alive else gone + 1
            if gone >= _GONE_LOOKS:
                return {"failed": True, "msg": "The seeding died on its host. Run it again: it goes on or starts over"}
            if progress is not None and progress != shown:
                self._display.display(progress_line(str((task_vars or {})["inventory_hostname"]), progress, shown))
                shown = progress
            time.sleep(_PAUSE_SECONDS)
        self._module("ansible.legacy.async_status", {**arguments, "mode": "cleanup"}, task_vars)
        return {name: value for name, value in state.items() if name not in ("started", "finished", "results_file")}

    def _progress(self) -> tuple[Progress | None, bool]:
        """Return how far it is, and whether somebody is still at it."""
        answer = self._low_level_execute_command(_LOOK, sudoable=True)  # type: ignore[no-untyped-call]
        try:
            told = json.loads(answer["stdout"].strip().splitlines()[0])
            progress = Progress(phase=told["phase"], done=told["done"], total=told["total"], moment=time.monotonic())
        except (ValueError, KeyError, IndexError):
            return None, True  # not begun, or just ended
        return progress, answer["rc"] == 0

    def _module(
        self, name: str, arguments: dict[str, t.Any] | None, task_vars: dict[str, t.Any] | None
    ) -> dict[str, t.Any]:
        outcome: dict[str, t.Any] = self._execute_module(module_name=name, module_args=arguments, task_vars=task_vars)
        return outcome
