# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack on one page, of a stack that is well and of one that lost a host."""

from __future__ import annotations

import json

import pytest

from .conftest import eventually

PLAYBOOK = "webinfra.stack.status"


@pytest.fixture
def status(demo, tmp_path):
    """Run the playbook; return the play, and what it wrote."""

    def run(*options):
        play = demo.play(PLAYBOOK, "-e", f"status_directory={tmp_path}", *options)
        assert sum(play.changed.values()) == 0, play.output
        return play, json.loads((tmp_path / "status.json").read_text())

    run.folder = tmp_path
    return run


def test_a_stack_that_is_well_is_shown_in_every_view(status, demo):
    demo.servers_of(8)
    play, document = status("-e", "status_fail_on=critical")
    assert play.code == 0, play.output
    assert all(host["reachable"] for host in document["hosts"]), play.output
    assert {"lb1", "web1", "web2", "db1", "db2"} <= {host["name"] for host in document["hosts"]}
    assert demo.url in play.output
    assert f"<title>{document['sentence']}" in (status.folder / "status.html").read_text()
    assert "```mermaid" in (status.folder / "status.md").read_text()
    assert 'webinfra_status_host_reachable{host="lb1"} 1' in (status.folder / "status.prom").read_text()
    assert {host["release"] for host in document["hosts"] if host["server"]} == {demo.request("/").headers["X-Release"]}


def test_a_host_that_is_down_is_unreachable_and_fails_only_on_request(status, demo):
    with demo.stopped("web2"):
        eventually(lambda: demo.servers_of(10) == {"web1": 10})
        play, document = status()
        assert play.code == 0, play.output
        (down,) = [host for host in document["hosts"] if not host["reachable"]]
        assert (down["name"], down["verdict"]) == ("web2", "unreachable")
        assert status("-e", "status_fail_on=warning")[0].code != 0
    eventually(lambda: demo.servers_of(20).keys() == {"web1", "web2"}, seconds=40)
