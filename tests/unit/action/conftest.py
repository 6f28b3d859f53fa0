# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import types

import pytest
from ansible.playbook.task import Task


@pytest.fixture
def run_action():
    """Run an action of ours with arguments; return its result, and what it has shown."""

    def run(action_module, arguments, *, check_mode=False):
        shown: list[str] = []
        task = Task()
        task.args = arguments
        task.check_mode = check_mode
        action = action_module(
            task,
            connection=types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir=None)),
            play_context=None,
            loader=None,
            templar=None,
            shared_loader_obj=None,
        )
        action._display = types.SimpleNamespace(display=shown.append)
        return action.run(task_vars={}), shown

    return run
