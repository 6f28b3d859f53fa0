# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR

from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_tree import stack_tiers, tree_lines

OPTIONS: dict[str, t.Any] = {
    "url": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "provider": {"type": "str", "required": True},
    "engine": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "shares": {"type": "dict", "required": True},
    "overrides": {"type": "dict", "default": {}},
    "shared_address": {"type": "str", "default": ""},
    "holders": {"type": "list", "elements": "str", "default": []},
    "replication": {"type": "dict", "required": True},
}


class ActionModule(ActionBase):
    """Print the stack as a tree, the same under every output callback."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OPTIONS)  # type: ignore[no-untyped-call]
        tiers = stack_tiers(
            options["hosts"],
            provider=options["provider"],
            engine=options["engine"],
            release=options["release"],
            shares=options["shares"],
            overrides=options["overrides"],
            shared_address=options["shared_address"],
            holders=options["holders"],
            replication=options["replication"],
        )
        self._display.display("\n" + "\n".join(tree_lines(options["url"], tiers, colour=bool(ANSIBLE_COLOR))) + "\n")
        return {**result, "changed": False, "lines": tree_lines(options["url"], tiers, colour=False)}
