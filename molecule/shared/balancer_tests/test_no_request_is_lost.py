# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is done to the balancer or happens to a server: under a steady load nobody notices. Defaults, untouched."""

from __future__ import annotations

import contextlib
import logging
import subprocess

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import NAME
from ansible_collections.webinfra.stack.molecule.shared.steady_load import PATIENT, SteadyLoad

ENOUGH = 10_000
QUICK = ("-e", "load_balancer_server_timeout=1")
"""A frozen server holds up a request for as long as a server may think."""

log = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def whole(scenario, eventually):
    """Both servers answer."""
    eventually(lambda: {scenario.ask("/healthz")[0]["X-Served-By"] for _ in range(20)} == {"web1", "web2"})


@pytest.fixture
def under_load(scenario, eventually):
    """Do something while clients ask, and until they have asked often enough; return what became of them."""

    def watch(*steps):
        fresh = SteadyLoad(scenario.address("lb1"), patience=PATIENT)
        kept = SteadyLoad(scenario.address("lb1"), patience=PATIENT, keeps_connections=True)
        with fresh, kept:
            for step in steps:
                step()
            eventually(lambda: fresh.requests + kept.requests >= ENOUGH, seconds=120)
        log.info("a connection each: %s", fresh.outcome)
        log.info("kept connections: %s", kept.outcome)
        return fresh.outcome, kept.outcome

    return watch


@pytest.fixture
def nginx(scenario):
    return scenario.host("lb1").exists("nginx")


def played(scenario, playbook, *options):
    def play():
        done = scenario.play(playbook, *options)
        assert done.code == 0, done.output
        assert done.changed["lb1"] == 1, done.output

    return play


@pytest.fixture
def lost(nginx):
    """Which requests failed where the balancer was reloaded, which nginx also is for other weights.

    nginx then closes a kept connection between two requests, when the client's next one may just be on its way. It can
    wait for that one since 1.27.4 (keepalive_min_timeout), which Debian 13 does not have.
    """

    def lost(fresh, kept):
        return dict(fresh.failures), {} if nginx else dict(kept.failures)

    return lost


def test_ten_reloads_cost_no_request(scenario, under_load, lost, nginx):
    def reload():
        scenario.host("lb1").check_output(f"systemctl reload {'nginx' if nginx else 'haproxy'}")

    assert lost(*under_load(*[reload] * 10)) == ({}, {})


def test_a_drain_and_a_return_of_each_server_cost_no_request(scenario, under_load, lost):
    steps = [
        played(scenario, f"webinfra.stack.{verb}", "-e", f"host={server}")
        for server in ("web1", "web2")
        for verb in ("drain", "ready")
    ]
    assert lost(*under_load(*steps)) == ({}, {})


def test_other_weights_cost_no_request(scenario, under_load, lost):
    lighter = played(scenario, "webinfra.stack.ready", "-e", "host=web1", "-e", "ready_weight=1")
    declared = played(scenario, "webinfra.stack.ready", "-e", "host=web1")
    assert lost(*under_load(lighter, declared)) == ({}, {})


def test_a_run_of_the_site_that_changes_the_configuration_costs_no_request(scenario, under_load, lost):
    changed = played(scenario, "site.yml", "-e", "load_balancer_max_body_mb=17")
    assert lost(*under_load(changed, played(scenario, "site.yml"))) == ({}, {})


@contextlib.contextmanager
def impatient_with_servers(scenario):
    assert scenario.site("--tags", "load_balancer", *QUICK).code == 0
    try:
        yield
    finally:
        assert scenario.site("--tags", "load_balancer").code == 0


@pytest.mark.parametrize(("fault", "mend"), [("kill", "start"), ("pause", "unpause")], ids=["dies", "freezes"])
def test_a_web_server_that_is_gone_costs_no_request(scenario, under_load, fault, mend):
    def docker(word):
        return lambda: subprocess.run(["docker", word, f"{NAME}-web1"], check=True, capture_output=True)

    with impatient_with_servers(scenario):
        try:
            outcomes = under_load(docker(fault))
        finally:
            docker(mend)()
    assert [dict(outcome.failures) for outcome in outcomes] == [{}, {}]
    assert max(outcome.longest_answer for outcome in outcomes) <= 1.1
