# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR

from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_tree import tree_lines
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.judging import judge
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.tree import remark_lines, tiers_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.views import files_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.whole_file import replace_file

NEVER = "never"
OPTIONS: dict[str, t.Any] = {
    "url": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "dict", "required": True},
    "provider": {"type": "str", "required": True},
    "engine": {"type": "str", "required": True},
    "shared_address": {"type": "str", "default": ""},
    "release_link": {"type": "str", "default": ""},
    "certificates": {"type": "dict", "default": {}},
    "surveys": {"type": "dict", "required": True},
    "balancers": {"type": "dict", "required": True},
    "databases": {"type": "dict", "required": True},
    "directory": {"type": "path", "required": True},
    "fail_on": {"type": "str", "choices": [NEVER, "critical", "warning"], "default": NEVER},
}
HANDED_ON = frozenset(OPTIONS) - {"directory", "fail_on"}


class ActionModule(ActionBase):
    """Judge the stack, print it as a tree, and write it on one page."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OPTIONS)  # type: ignore[no-untyped-call]
        stack = judge(**{name: options[name] for name in HANDED_ON}, now=time.time())
        paths = {} if self._task.check_mode else self._write(options["directory"], files_of(stack))
        colour = bool(ANSIBLE_COLOR)
        shown = [*tree_lines(stack.url, tiers_of(stack), colour=colour), "", *remark_lines(stack, colour=colour)]
        self._display.display("\n" + "\n".join([*shown, *paths.values()]) + "\n")
        failed = options["fail_on"] != NEVER and stack.level.reaches(Level(options["fail_on"]))
        outcome = {"failed": True, "msg": stack.sentence} if failed else {}
        return {
            **result,
            "changed": False,
            "level": stack.level.value,
            "sentence": stack.sentence,
            "paths": paths,
            **outcome,
        }

    def _write(self, directory: str, files: t.Mapping[str, str]) -> dict[str, str]:
        """Write the files, each in one step; return where they are."""
        paths = {name: os.path.join(directory, name) for name in files}
        try:
            os.makedirs(directory, exist_ok=True)
            for name, text in files.items():
                replace_file(Path(paths[name]), text.encode())
        except OSError as exc:
            raise AnsibleActionFail(f"{directory}: {exc.strerror}. Give a folder with -e status_directory=") from exc
        return paths
