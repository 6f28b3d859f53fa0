# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients see, with either balancer."""

from __future__ import annotations

import re
import uuid

import pytest

from .conftest import eventually, steady_requests

pytestmark = pytest.mark.balancer


def share_is_three_to_one(demo) -> bool:
    share = demo.servers_of(40)
    return abs(share["web1"] - 30) <= 2 and abs(share["web2"] - 10) <= 2


def test_forty_requests_land_by_weight(demo):
    share = demo.servers_of(40)
    assert share == {"web1": pytest.approx(30, abs=2), "web2": pytest.approx(10, abs=2)}


def test_a_posted_entry_appears_on_the_page(demo):
    message = f"hello {uuid.uuid4()}"
    posted = demo.request("/entries", {"name": "acceptance", "message": message})
    assert posted.status in {200, 201, 303}, posted.text
    eventually(lambda: message in demo.request("/").text, seconds=3)


def test_writes_and_reads_are_served_by_different_servers(demo):
    page = demo.request("/")
    assert {page.headers["X-Db-Write"], page.headers["X-Db-Read"]} == {"db1", "db2"}


def test_every_answer_names_server_and_release(demo):
    page = demo.request("/")
    assert page.headers["X-Served-By"] in {"web1", "web2"}
    assert page.headers["X-Release"]


def test_security_headers_are_added_where_the_application_says_nothing_itself(demo):
    page = demo.request("/")
    said = {
        name: page.headers.get_all(name) for name in ("Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options")
    }
    assert said == {
        "Referrer-Policy": ["same-origin"],
        "X-Content-Type-Options": ["nosniff"],
        "X-Frame-Options": ["SAMEORIGIN"],
    }


def test_a_stopped_web_server_costs_no_request_and_gets_its_share_back(demo):
    with steady_requests(demo) as answered, demo.stopped("web1"):
        assert demo.servers_of(60) == {"web2": 60}
    assert answered.keys() == {"web1", "web2"}, answered
    eventually(lambda: share_is_three_to_one(demo), seconds=40)


def test_a_web_server_whose_application_dies_costs_no_request(demo):
    demo.on("web2", "systemctl", "stop", "guest_book.service")
    try:
        assert demo.servers_of(60) == {"web1": 60}
    finally:
        demo.on("web2", "systemctl", "start", "guest_book.service")
    eventually(lambda: share_is_three_to_one(demo), seconds=40)


def test_a_backup_server_stands_by_and_steps_in(demo, overlay):
    passive = overlay({"web2": {"backup": True}})
    built = demo.site(inventories=[passive])
    assert built.code == 0, built.output
    try:
        assert demo.servers_of(40) == {"web1": 40}
        with demo.stopped("web1"):
            eventually(lambda: demo.servers_of(20) == {"web2": 20})
        eventually(lambda: demo.servers_of(20) == {"web1": 20}, seconds=40)
    finally:
        back = demo.site()
    assert back.code == 0, back.output
    assert share_is_three_to_one(demo)


def test_a_drained_server_gets_nothing_until_it_is_put_back_and_no_request_is_lost(demo):
    with steady_requests(demo) as answered:
        drained = demo.play("webinfra.stack.drain", "-e", "host=web1", "-e", "drain_reason=acceptance")
        assert (drained.code, drained.changed["lb1"]) == (0, 1), drained.output
        try:
            assert demo.play("webinfra.stack.drain", "-e", "host=web1").changed["lb1"] == 0
            assert demo.servers_of(20) == {"web2": 20}
            demo.on("lb1", "systemctl", "reload", demo.provider)
            assert demo.servers_of(20) == {"web2": 20}
            site = demo.site()
            assert (site.code, sum(site.changed.values())) == (0, 0), site.output
            assert re.search(r"web1 .*drain since .*: acceptance", site.output)
            refused = demo.play("webinfra.stack.drain", "-e", "host=web2")
            assert refused.code != 0
            assert "No other server would answer: web1 is in drain" in refused.output
        finally:
            back = demo.play("webinfra.stack.ready", "-e", "host=web1")
        assert (back.code, back.changed["lb1"]) == (0, 1), back.output
    assert answered.keys() == {"web1", "web2"}, answered
    eventually(lambda: share_is_three_to_one(demo), seconds=10)


def test_what_was_set_survives_a_restart_of_the_balancers_host(demo):
    assert demo.play("webinfra.stack.drain", "-e", "host=web2", "-e", "drain_state=maintenance").code == 0
    try:
        with demo.stopped("lb1"):
            pass
        eventually(demo.answers, seconds=40)
        assert demo.servers_of(20) == {"web1": 20}
    finally:
        assert demo.play("webinfra.stack.ready", "-e", "host=web2").code == 0
    eventually(lambda: share_is_three_to_one(demo), seconds=40)


def test_another_weight_takes_effect_and_a_dead_server_is_not_put_back(demo):
    lighter = demo.play("webinfra.stack.ready", "-e", "host=web1", "-e", "ready_weight=1")
    assert (lighter.code, lighter.changed["lb1"]) == (0, 1), lighter.output
    eventually(lambda: abs(demo.servers_of(40)["web1"] - 20) <= 2, seconds=10)
    assert demo.play("webinfra.stack.drain", "-e", "host=web1").code == 0
    demo.on("web1", "systemctl", "stop", "guest_book.service")
    try:
        refused = demo.play("webinfra.stack.ready", "-e", "host=web1", "-e", "ready_timeout=2")
        assert refused.code != 0
        assert "web1 is not put back: /healthz at" in refused.output
    finally:
        demo.on("web1", "systemctl", "start", "guest_book.service")
        assert demo.play("webinfra.stack.ready", "-e", "host=web1").code == 0
    eventually(lambda: share_is_three_to_one(demo), seconds=40)


def test_verify_shows_the_url_and_the_program_that_users_see(demo):
    play = demo.verify()
    assert play.code == 0, play.output
    assert f"\n{demo.url}\n" in play.output
    assert re.search(r"lb1 .*" + demo.provider, play.output)


def test_the_balancer_is_reloaded_and_never_restarted(demo, overlay):
    def started() -> str:
        unit = "haproxy" if "haproxy" in demo.on("lb1", "systemctl", "list-units", "--state=active") else "nginx"
        return demo.on("lb1", "systemctl", "show", "--property=ExecMainStartTimestampMonotonic", unit)

    before = started()
    changed = demo.site("--tags", "load_balancer", inventories=[overlay({}, {"load_balancer_server_timeout": 29})])
    assert changed.code == 0, changed.output
    assert changed.changed["lb1"] == 1
    assert started() == before
    assert demo.site("--tags", "load_balancer").changed["lb1"] == 1
