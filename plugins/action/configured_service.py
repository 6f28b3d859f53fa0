# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._service.service import (
    ARGUMENTS,
    OptionError,
    Service,
    Sight,
    plan_service,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.surveyed import SurveyedAction


class ActionModule(SurveyedAction):
    """Leave a unit alone that was just seen running with exactly these files."""

    module = "webinfra.stack.configured_service"
    arguments = ARGUMENTS

    def settled(self, options: t.Mapping[str, t.Any], survey: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
        seen = survey["units"].get(options["name"])
        try:
            service = Service.from_options(options)
        except OptionError:
            return None
        if seen is None or not (sight := Sight.from_result(seen)).covers(service):
            return None
        plan = plan_service(service, sight, key=survey["fingerprint_key"].encode())
        if not plan.empty:
            return None
        return {
            "changed": False,
            "files_changed": [],
            "actions": [],
            "outdated": plan.unit.outdated,
            "not_validated": [],
            "diff": [],
        }
