# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import sys
import typing as t

from ansible import context
from ansible.plugins.action import ActionBase

from ansible_collections.webinfra.stack.plugins.plugin_utils.playbook_run import run_playbook

OPTIONS: dict[str, t.Any] = {
    "playbook": {"type": "str", "required": True},
    "variables": {"type": "dict", "default": {}},
    "environment": {"type": "dict", "default": {}},
    "timeout": {"type": "int", "default": 900},
    "must_succeed": {"type": "bool", "default": True},
}
_PASSED_ON = {
    "inventory": "--inventory",
    "extra_vars": "--extra-vars",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
    "remote_user": "--user",
    "private_key_file": "--private-key",
}


class ActionModule(ActionBase):
    """Run a playbook on the controller, in a process of its own, on the inventory of this run."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OPTIONS)  # type: ignore[no-untyped-call]
        if self._task.check_mode:
            return {**result, "skipped": True, "skip_reason": "A playbook in a process of its own predicts nothing"}
        variables = ["--extra-vars", json.dumps(options["variables"])] if options["variables"] else []
        command = [sys.executable, "-m", "ansible", "playbook", "-v", *_options_of_this_run(), *variables]
        run = run_playbook([*command, options["playbook"]], options["environment"], options["timeout"])
        told = {"began": run.began, "seconds": round(run.seconds, 3), "code": run.code}
        changed = {host: count for host, count in run.changed.items() if count}
        reason = f"{options['playbook']} has failed: {'; '.join(run.complaints) or run.tail}"
        failure = {"failed": True, "msg": reason} if options["must_succeed"] and run.code != 0 else {}
        return {
            **result,
            **told,
            "changed": bool(changed),
            "changed_hosts": changed,
            "changes": run.changes,
            "complaints": run.complaints,
            "result": run.result_with("writes_closed_ms"),
            "output": run.tail,
            **failure,
        }


def _options_of_this_run() -> list[str]:
    """Return where the hosts and the secrets come from, as the command line of this run has it."""
    given = context.CLIARGS
    options: list[str] = []
    for name, option in _PASSED_ON.items():
        values = given.get(name) or []
        options += [f"{option}={value}" for value in ([values] if isinstance(values, str) else values)]
    return options
