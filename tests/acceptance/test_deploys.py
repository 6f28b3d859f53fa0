# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release that comes and goes while the demo is asked; what can go wrong with one is the scenario deploy's."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from .conftest import ROOT, steady_requests

pytestmark = pytest.mark.balancer

GUEST_BOOK = ROOT / "playbooks" / "files" / "guest_book"


def releases(demo) -> set[str]:
    return {demo.request("/healthz").headers["X-Release"] for _ in range(8)}


@pytest.fixture
def another_release(tmp_path):
    folder = tmp_path / "release"
    shutil.copytree(GUEST_BOOK, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "NEWS").write_text("Everything is better.\n")
    return folder


def test_a_release_comes_and_goes_unnoticed_and_no_run_of_the_site_undoes_it(demo, another_release):
    before = releases(demo)
    with steady_requests(demo) as answered:
        deployed = demo.play("webinfra.stack.deploy", "-e", f"deploy_source={another_release}")
        assert deployed.code == 0, deployed.output
        after = releases(demo)
        assert (len(before), len(after), before & after) == (1, 1, set())
        site = demo.site()
        assert (site.code, sum(site.changed.values())) == (0, 0), site.output
        assert releases(demo) == after
        taken_back = demo.play("webinfra.stack.rollback")
        assert taken_back.code == 0, taken_back.output
    assert releases(demo) == before
    assert answered.keys() == {"web1", "web2"}, answered


def test_a_smoke_test_that_fails_brings_its_server_back_and_the_others_never_see_the_release(
    demo, another_release, overlay, tmp_path
):
    smoke_test = [
        {
            "name": "Note the release",
            "ansible.builtin.command": "touch /run/tried-{{ deploy_verb }}-{{ deploy_release }}",
        },
        {"name": "Read the page", "ansible.builtin.command": "grep nothing /dev/null"},
    ]
    (tmp_path / "smoke_test.yml").write_text(json.dumps(smoke_test))
    wiring = ROOT / "playbooks/roles/wiring/vars/main/sample_app.yml"
    application = yaml.safe_load(wiring.read_text())["webinfra_sample_app"]
    hooks = {"after_switch": str(tmp_path / "smoke_test.yml")}
    inventory = overlay({}, {"webinfra_app": {**application, "source": str(GUEST_BOOK), "hooks": hooks}})
    before = releases(demo)
    with steady_requests(demo) as answered:
        deployed = demo.play("webinfra.stack.deploy", "-e", f"deploy_source={another_release}", inventories=[inventory])
    assert deployed.code != 0
    assert 'smoke_test.yml failed at "Read the page"' in " ".join(deployed.output.split())
    assert releases(demo) == before
    tried = [demo.on(host, "sh", "-c", "ls /run | grep -c ^tried-deploy- || true").strip() for host in ("web1", "web2")]
    assert tried == ["1", "0"]
    assert answered.keys() == {"web1", "web2"}, answered
