# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.webinfra.stack.plugins.plugin_utils.private_authority import (
    Authority,
    AuthorityError,
    Issue,
    Request,
)

OPTIONS: dict[str, t.Any] = {
    "directory": {"type": "path", "required": True},
    "host": {"type": "str", "required": True},
    "names": {"type": "list", "elements": "str", "default": []},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "valid_days": {"type": "int", "default": 365},
    "renew_days": {"type": "int", "default": 60},
}


class ActionModule(ActionBase):
    """Issue a host's certificate where it has none that is good."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OPTIONS)  # type: ignore[no-untyped-call]
        authority = Authority(Path(options.pop("directory")))
        request = Request(**{**options, **{name: tuple(options[name]) for name in ("names", "addresses")}})
        now = dt.datetime.now(dt.timezone.utc)
        try:
            before, after = authority.look(request, now=now)
            changed = before != after
            if changed and not self._task.check_mode:
                authority.issue(request, now=now)
        except (AuthorityError, ValueError) as exc:
            raise AnsibleActionFail(f"No certificate for {request.host}: {exc}") from exc
        return {
            **result,
            "changed": changed,
            "not_after": after.not_after,
            "reason": after.reason,
            "diff": {"before": _shown(before), "after": _shown(after)},
        }


def _shown(issue: Issue | None) -> dict[str, t.Any]:
    """Return what a diff shows; why it is issued is said beside it."""
    shown = dataclasses.asdict(issue) if issue else {}
    shown.pop("reason", None)
    return shown
