# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.webinfra.stack.plugins.plugin_utils.deploys import status_lines

OPTIONS: dict[str, t.Any] = {"hosts": {"type": "dict", "required": True}}


class ActionModule(ActionBase):
    """Print the releases as a tree, the same under every output callback."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OPTIONS)  # type: ignore[no-untyped-call]
        lines = status_lines(options["hosts"])
        self._display.display("\n" + "\n".join(lines) + "\n")
        return {**result, "changed": False, "lines": lines}
