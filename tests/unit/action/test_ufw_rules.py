# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A changed firewall is confirmed over a new connection, or the run is red."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.webinfra.stack.plugins.action import ufw_rules
from ansible_collections.webinfra.stack.plugins.module_utils._module import ufw
from ansible_collections.webinfra.stack.plugins.plugin_utils import lock_out

DONE = {"changed": True, "unconfirmed": True, "foreign_rules": []}
GONE = AnsibleConnectionFailure("connection timed out")


def action(answers):
    """Return the action on a host that answers new connections like this, one after the other, and what it was told."""
    told = []

    class Faked(ufw_rules.ActionModule):
        def __init__(self):
            self._task = types.SimpleNamespace(args={"confirm_within": 0}, check_mode=False)
            self._connection = types.SimpleNamespace(reset=lambda: told.append("reset"))

        def _low_level_execute_command(self, command):
            told.append(command)
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return {"rc": answer, "stderr": ""}

    return Faked(), told


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(ufw_rules, "PAUSE", 0)

    def run(*answers, result=DONE):
        monkeypatch.setattr(ufw_rules.SurveyedAction, "run", lambda *_arguments: dict(result))
        acting, told = action(list(answers))
        return acting.run(None, {"inventory_hostname": "web1"}), told

    return run


def test_a_change_is_confirmed_over_a_new_connection(run):
    result, told = run(0)
    assert "failed" not in result
    assert told == ["reset", lock_out.CONFIRM]


@pytest.mark.parametrize("result", [{**DONE, "unconfirmed": False}, {"failed": True}], ids=["no change", "failed"])
def test_where_nothing_is_to_be_confirmed_nobody_connects(run, result):
    assert run(result=result) == ({**result}, [])


def test_who_is_shut_out_waits_for_the_former_rules_and_fails(run):
    result, told = run(GONE, GONE, 0, 1)
    assert result["failed"] is True
    assert "connection timed out" in result["msg"]
    assert "its former rules are back" in result["msg"]
    assert told == ["reset", lock_out.CONFIRM, *["reset", lock_out.EXISTS] * 3]


def test_who_comes_too_late_fails(run):
    result, _told = run(5, 1)
    assert result["failed"] is True
    assert "it had gone back before" in result["msg"]


def test_a_host_that_stays_closed_is_told_so(run, monkeypatch):
    monkeypatch.setattr(ufw_rules, "PATIENCE", 0)
    result, _told = run(GONE)
    assert "look at its console" in result["msg"]


def test_rules_that_nobody_declared_are_told(run):
    result, _told = run(result={"foreign_rules": ["allow 80/tcp from any"]})
    (warning,) = result["warnings"]
    assert warning.startswith("web1 has rules that nobody declared, and they are in force: allow 80/tcp from any. ")


def test_the_host_and_the_controller_mean_the_same():
    assert (lock_out.FORMER, lock_out.ROLLBACK) == (ufw.FORMER, ufw.ROLLBACK)
