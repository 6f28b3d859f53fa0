# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.webinfra.stack.plugins.action import app_release, deploy_lock
from ansible_collections.webinfra.stack.plugins.plugin_utils.run_holder import holder_of


@pytest.fixture
def host(monkeypatch):
    """A host that notes what its module is asked, and answers the next of these."""

    class Host:
        asked: list[dict]
        answers: list[dict]

        def __init__(self):
            self.asked, self.answers = [], []

        def run(self, plugin, arguments, *, check_mode=False):
            action = object.__new__(plugin.ActionModule)
            action._task = types.SimpleNamespace(args=arguments, check_mode=check_mode)
            return action.run(task_vars={})

    host = Host()

    def execute(_self, module_name, module_args, task_vars):
        host.asked.append(module_args)
        return host.answers.pop(0) if host.answers else {"changed": True}

    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_arguments: {})
    monkeypatch.setattr("ansible.plugins.action.ActionBase._execute_module", execute)
    monkeypatch.setattr(app_release.ActionModule, "_carried", lambda _self, archive: f"/there/{archive.name}")
    return host


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main").write_text("x" * 1000)
    return {"name": "wiki", "source": str(tmp_path / "app"), "archive_directory": str(tmp_path / "packed")}


def test_a_small_release_comes_along_with_the_question(host, arguments):
    assert host.run(app_release, arguments) == {"changed": True}
    (asked,) = host.asked
    assert asked["encoded_archive"]
    assert (len(asked["release"]), asked["unpacked_bytes"], asked["unpacked_files"]) == (12, 1000, 1)


@pytest.mark.parametrize("missing", [True, False])
def test_a_large_release_is_carried_only_to_a_host_that_lacks_it(host, arguments, missing, monkeypatch):
    monkeypatch.setattr(app_release, "SMALL", 10)
    host.answers = [{"changed": missing, "missing": missing}]
    host.run(app_release, arguments)
    assert "archive" not in host.asked[0]
    assert [asked["archive"] for asked in host.asked[1:]] == (
        [f"/there/wiki-{host.asked[0]['release']}.tar.gz"] if missing else []
    )


def test_in_check_mode_nothing_is_packed(host, arguments, tmp_path):
    host.run(app_release, arguments, check_mode=True)
    assert host.asked[0]["release"]
    assert not (tmp_path / "packed").exists()


def test_a_release_that_is_there_needs_no_source(host):
    host.run(app_release, {"name": "wiki", "release": "one", "state": "current"})
    assert host.asked == [{"name": "wiki", "release": "one", "state": "current"}]


def test_a_source_that_is_none_stops_on_the_controller(host, arguments):
    with pytest.raises(AnsibleActionFail, match="neither a directory nor an archive"):
        host.run(app_release, {**arguments, "source": "/nowhere"})
    assert host.asked == []


def refusal(holder):
    return {"failed": True, "held_by": {"holder": holder}}


def test_the_lock_of_a_run_that_was_killed_here_is_taken_over(host):
    process = holder_of(1).replace(":1:", ":999999999:")
    host.answers = [refusal(process), {"taken": True}]
    assert host.run(deploy_lock, {"name": "wiki"}) == {"taken": True}
    assert host.asked[1]["break_lock"] is True


@pytest.mark.parametrize("holder", ["another:1:1", holder_of(1)], ids=["of another machine", "of a run that lives"])
def test_any_other_lock_is_respected(host, holder):
    host.answers = [refusal(holder)]
    assert host.run(deploy_lock, {"name": "wiki"})["failed"]
    assert len(host.asked) == 1
