# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.convergence import ARGUMENTS, decide, result_of
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import Observation, UfwError
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import (
    DeclaredRuleError,
    UnreadableRuleError,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.lock_out import CONFIRM, EXISTS, foreign_rules, shut_out
from ansible_collections.webinfra.stack.plugins.plugin_utils.surveyed import SurveyedAction

PATIENCE, PAUSE = 30, 1
"""Seconds for which a host may take to let us in again, after its time is over, and between two tries."""


class ActionModule(SurveyedAction):
    """Leave a firewall alone that was just seen as it is declared, and confirm one that was changed."""

    module = "webinfra.stack.ufw_rules"
    arguments = ARGUMENTS

    def settled(self, options: t.Mapping[str, t.Any], survey: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
        if survey["firewall"] is None:
            return None
        observation = Observation.from_result(survey["firewall"])
        try:
            plan = decide(observation, options)
        except (DeclaredRuleError, UnreadableRuleError, UfwError):
            return None
        return None if plan.commands or observation.unconfirmed() else result_of(plan)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        if foreign := result.get("foreign_rules"):
            result["warnings"] = [
                *result.get("warnings", []),
                foreign_rules(str((task_vars or {}).get("inventory_hostname", "this host")), foreign),
            ]
        if result.get("failed") or not result.get("unconfirmed") or self._task.check_mode:
            return result
        try:
            said = self._anew(CONFIRM)
        except AnsibleConnectionFailure as exc:
            words = str(exc)
        else:
            if said["rc"] == 0:
                return result
            words = said["stderr"].strip() or "it had gone back before the new connection was there"
        return {**result, "failed": True, "msg": shut_out(words, back=self._back())}

    def _anew(self, command: str) -> dict[str, t.Any]:
        """Run a command over a connection that did not exist before."""
        self._connection.reset()
        return dict(self._low_level_execute_command(command))  # type: ignore[no-untyped-call]

    def _back(self) -> bool:
        """Wait until the host lets us in, and has its former rules."""
        patience = int(self._task.args.get("confirm_within", ARGUMENTS["confirm_within"]["default"])) + PATIENCE
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                if self._anew(EXISTS)["rc"] != 0:
                    return True
            except AnsibleConnectionFailure:
                pass
            time.sleep(PAUSE)
        return False
