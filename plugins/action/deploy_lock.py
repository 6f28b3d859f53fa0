# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.webinfra.stack.plugins.plugin_utils.run_holder import holder_of, is_dead

MODULE = "webinfra.stack.deploy_lock"


class ActionModule(ActionBase):
    """Hold the lock for this run of Ansible, and take over that of a run that was killed on this controller."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        # A task runs in a child of the run.
        options = {**self._task.args, "holder": holder_of(os.getppid())}
        asked = self._execute_module(module_name=MODULE, module_args=options, task_vars=task_vars)
        rival = asked.get("held_by")
        if asked.get("failed") and rival and is_dead(rival["holder"]):
            options["break_lock"] = True
            asked = self._execute_module(module_name=MODULE, module_args=options, task_vars=task_vars)
        return {**result, **asked}
