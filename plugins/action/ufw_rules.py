# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.convergence import ARGUMENTS, decide, result_of
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import Observation, UfwError
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import (
    DeclaredRuleError,
    UnreadableRuleError,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.surveyed import SurveyedAction


class ActionModule(SurveyedAction):
    """Leave a firewall alone that was just seen as it is declared."""

    module = "webinfra.stack.ufw_rules"
    arguments = ARGUMENTS

    def settled(self, options: t.Mapping[str, t.Any], survey: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
        if survey["firewall"] is None:
            return None
        try:
            plan = decide(Observation.from_result(survey["firewall"]), options)
        except (DeclaredRuleError, UnreadableRuleError, UfwError):
            return None
        return None if plan.commands else result_of(plan)
