# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import jsonschema
import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, Tier, TrafficState
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.single_points import declared_single_points
from ansible_collections.webinfra.stack.tests.play import ROOT
from ansible_collections.webinfra.stack.tests.status_samples import LONG, UNREACHABLE, Sample

SCHEMA = json.loads((ROOT / "playbooks/files/status.schema.json").read_text())
HOSTS = ["lb1", "web1", "web2", "db1", "db2"]


def names(stack):
    return [finding.name for finding in stack.findings]


def host(stack, name):
    return next(host for host in stack.hosts if host.name == name)


def traffic(stack, source, target):
    return next(each for each in stack.traffic if (each.source, each.target) == (source, target))


def validate(stack):
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(stack.as_result())))


def test_a_healthy_stack_is_well():
    stack = Sample().stack()
    assert (stack.level, stack.findings) == (Level.WELL, ())
    assert stack.sentence == "All is well: 2 web servers answer, db1 takes writes, 1 replica follows."
    verdicts = {host.name: host.verdict for host in stack.hosts}
    assert verdicts == {
        "lb1": "balances",
        "web1": "answers",
        "web2": "answers",
        "db1": "takes writes",
        "db2": "follows the primary",
    }


@pytest.mark.parametrize(
    "sample",
    [
        Sample(),
        Sample(certificate_days=3).drain("web2"),
        Sample(servers=1, databases=1),
        Sample(balancers=2, servers=3, databases=3, shared=True, certificate_days=64),
        Sample(balancers=2, servers=12, databases=3, shared=True, name=LONG),
        *(Sample().stop(name) for name in HOSTS),
        Sample().stop(*HOSTS),
    ],
    ids=["healthy", "degraded", "one", "three", "twelve", *(f"without {name}" for name in HOSTS), "without any"],
)
def test_the_document_is_what_the_schema_says(sample):
    validate(sample.stack())


def test_the_schema_refuses_what_it_does_not_know():
    document = {**Sample().stack().as_result(), "mood": "fine"}
    with pytest.raises(jsonschema.ValidationError, match="mood"):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_that_is_down_is_shown_as_unreachable(name):
    stack = Sample().stop(name).stack()
    assert (host(stack, name).reachable, host(stack, name).verdict) == (False, "unreachable")
    assert stack.level is not Level.WELL
    assert all(other.reachable for other in stack.hosts if other.name != name)


@pytest.mark.parametrize(
    ("stopped", "level", "sentence"),
    [
        ("lb1", Level.CRITICAL, "no load balancer answers, so nobody knows whether requests get in"),
        ("web1", Level.WARNING, "web1: it does not answer over SSH"),
        ("db1", Level.CRITICAL, "db1: no server takes writes"),
        ("db2", Level.CRITICAL, "db2: db2 at port 3306 does not answer"),
    ],
)
def test_the_sentence_says_the_worst(stopped, level, sentence):
    stack = Sample().stop(stopped).stack()
    assert stack.level is level
    assert sentence in stack.sentence


def test_nobody_answers():
    stack = Sample().stop(*HOSTS).stack()
    assert {"no_balancer", "databases_unknown"} <= set(names(stack))
    assert stack.sentence.startswith("Something is broken")


def test_a_database_that_is_down_is_said_once():
    assert names(Sample().stop("db2").stack()) == ["server_unreachable"]


def test_all_web_servers_down_is_critical():
    assert names(Sample().stop("web1", "web2").stack())[0] == "no_web_server"


def test_a_drained_server_is_remembered_with_its_reason():
    stack = Sample().drain("web1").stack()
    (finding,) = stack.findings
    assert "drain since 2026-11-18 05:30 UTC by anna: new kernel" in finding.reason
    assert "webinfra.stack.ready -e host=web1" in finding.action
    assert traffic(stack, "lb1", "web1").state is TrafficState.WAITING


def test_a_dead_application_on_a_living_host_is_found():
    sample = Sample()
    sample.server("web2")["up"] = False
    stack = sample.stack()
    assert names(stack) == ["server_down"]
    assert traffic(stack, "lb1", "web2").state is TrafficState.BROKEN


def test_a_balancer_that_is_silent_on_a_living_host_is_found():
    sample = Sample(balancers=2)
    sample.balancers["lb2"] = {"msg": "there is no socket"}
    assert [(f.name, f.host) for f in sample.stack().findings] == [("balancer_silent", "lb2")]


def test_the_only_balancer_that_is_silent_is_critical_too():
    sample = Sample()
    sample.balancers["lb1"] = {"msg": "there is no socket"}
    stack = sample.stack()
    assert [(f.name, f.level) for f in stack.findings] == [
        ("no_balancer", Level.CRITICAL),
        ("balancer_silent", Level.WARNING),
    ]


def test_a_unit_that_does_not_run_is_found():
    sample = Sample()
    sample.surveys["web1"]["seen"]["units"]["guest_book.service"]["states"]["guest_book.service"]["active"] = False
    stack = sample.stack()
    assert (names(stack), host(stack, "web1").stopped_units) == (["unit_stopped"], ("guest_book.service",))


def test_a_rival_of_a_unit_that_runs_has_to_be_stopped():
    sample = Sample()
    units = sample.surveys["lb1"]["seen"]["units"]
    units["nginx.service"] = {"states": {"nginx.service": {"active": False}, "haproxy.service": {"active": True}}}
    units["haproxy.service"]["states"]["nginx.service"] = {"active": False}
    assert names(sample.stack()) == []


def test_a_firewall_that_is_off_is_found():
    sample = Sample()
    sample.surveys["web1"]["seen"] = {**sample.surveys["web1"]["seen"]}
    sample.surveys["web1"]["seen"]["firewall"] = {**sample.surveys["web1"]["seen"]["firewall"], "listing": ""}
    stack = sample.stack()
    assert (names(stack), host(stack, "web1").firewall_active) == (["firewall_off"], False)


def test_a_firewall_that_cannot_be_read_is_not_accused():
    sample = Sample()
    sample.surveys["web1"]["seen"]["firewall"] = {"present": True, "kernel_ipv6": False, "defaults": ""}
    assert host(sample.stack(), "web1").firewall_active is None


@pytest.mark.parametrize(
    ("days", "name", "level"),
    [(14, None, None), (13, "certificate_ends", Level.WARNING), (-1, "certificate_expired", Level.CRITICAL)],
    ids=["in time", "late", "over"],
)
def test_a_certificate_is_judged_by_its_days(days, name, level):
    findings = Sample(certificate_days=days).stack().findings
    assert [(finding.name, finding.level) for finding in findings] == ([(name, level)] if name else [])


def test_a_certificate_that_cannot_be_read_is_found():
    sample = Sample(certificate_days=64)
    sample.surveys["lb1"]["certificates"] = {"/etc/ssl/certs/www.pem": None}
    assert names(sample.stack()) == ["certificate_unreadable"]


def test_a_server_with_another_release_than_most_is_found():
    sample = Sample(servers=3)
    sample.surveys["web2"]["seen"]["links"] = {"/srv/guest_book/current": "/srv/guest_book/releases/old"}
    assert [(f.name, f.host) for f in sample.stack().findings] == [("release_differs", "web2")]


def test_a_shared_address_on_nobody_is_critical():
    sample = Sample(balancers=2, shared=True)
    sample.surveys["lb1"]["addresses"] = []
    assert names(sample.stack())[0] == "shared_address"


def test_the_answer_that_saw_most_databases_counts():
    sample = Sample(databases=3)
    cut_off = {**sample.replication, "servers": {"db1": sample.replication["servers"]["db1"]}}
    sample.databases["db1"] = cut_off
    assert len(sample.stack().links) == 2


def test_replicas_name_whom_they_follow():
    (link,) = Sample().stack().links
    assert (link.source, link.replica, link.running, link.transactions_behind) == ("db1", "db2", True, 0)


def test_shares_are_what_was_counted():
    stack = Sample().stack()
    assert (traffic(stack, "lb1", "web1").share, traffic(stack, "lb1", "web1").measured) == (0.75, True)


def test_those_that_are_left_have_the_share_of_a_drained_server():
    stack = Sample().drain("web1").stack()
    assert [(each.target, each.share) for each in stack.traffic if each.source] == [("web1", 0.0), ("web2", 1.0)]


def test_without_a_request_the_weights_promise_the_shares():
    sample = Sample()
    for row in sample.balancers["lb1"]["servers"]:
        row.update(requests=0, share=None)
    stack = sample.stack()
    assert (traffic(stack, "lb1", "web1").share, traffic(stack, "lb1", "web1").measured) == (0.75, False)


def test_a_balancer_that_stands_by_sends_nothing():
    stack = Sample(balancers=2, shared=True).stack()
    assert traffic(stack, None, "lb2").state is TrafficState.WAITING
    assert traffic(stack, "lb2", "web1").state is TrafficState.WAITING


@pytest.mark.parametrize(
    ("sample", "tiers"),
    [
        (Sample(servers=1, databases=1), [Tier.LOAD_BALANCERS, Tier.WEB_SERVERS, Tier.DB_SERVERS]),
        (Sample(), [Tier.LOAD_BALANCERS]),
        (Sample(balancers=2, shared=True), []),
        (Sample(balancers=2, shared=True).stop("web1"), [Tier.WEB_SERVERS]),
        (Sample(balancers=2, shared=True).stop("db2"), [Tier.DB_SERVERS]),
        (Sample(balancers=2, shared=True).stop("lb1"), [Tier.LOAD_BALANCERS]),
        (Sample().stop("lb1"), [Tier.LOAD_BALANCERS]),
    ],
    ids=["all", "entrance", "none", "last web server", "last database", "last balancer", "entrance that is down"],
)
def test_what_stands_alone_is_a_single_point_of_failure(sample, tiers):
    assert [point.tier for point in sample.stack().single_points] == tiers


@pytest.mark.parametrize(
    ("sample", "tiers"),
    [
        (Sample(servers=1, databases=1), [Tier.LOAD_BALANCERS, Tier.WEB_SERVERS, Tier.DB_SERVERS]),
        (Sample(balancers=2), []),
        (Sample(balancers=2, shared=True), []),
    ],
    ids=["all", "two balancers behind a name", "two that share an address"],
)
def test_what_stands_alone_in_the_inventory_is_known_before_anything_runs(sample, tiers):
    points = declared_single_points(sample.hosts, shared_address=sample.shared_address, url=sample.url)
    assert [point.tier for point in points] == tiers


def test_two_balancers_behind_the_address_of_one_are_a_single_point_of_failure():
    (point,) = Sample(balancers=2).stack(url="http://10.20.0.11").single_points
    assert (point.host, "webinfra_virtual_ip" in point.remedy) == ("lb1", True)


def test_a_host_that_was_not_asked_says_so():
    sample = Sample()
    sample.surveys["web1"] = {}
    assert any("it was not asked" in finding.reason for finding in sample.stack().findings)


def test_a_survey_that_failed_is_not_an_unreachable_host():
    sample = Sample()
    sample.surveys["web1"] = {"changed": False, "msg": "there is no python3"}
    stack = sample.stack()
    assert (names(stack), host(stack, "web1").reachable) == (["not_surveyed"], True)


def test_the_first_line_of_a_reason_is_enough():
    sample = Sample()
    sample.surveys["web1"] = {
        **UNREACHABLE,
        "msg": "Task failed: Make sure that it can be reached: ssh: no route\nand a page of more",
    }
    (reason,) = [finding.reason for finding in sample.stack().findings if finding.name == "unreachable"]
    assert reason == "it does not answer over SSH: no route"
