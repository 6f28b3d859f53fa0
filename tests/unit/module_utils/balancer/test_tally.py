# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.shares import BalancedServer, compare_shares
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.tally import Tally

WEB1 = [BalancedServer(name="web1", weight=1, backup=False)]


def answered(tally, request=1, milliseconds=5.0, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return tally.with_answer(request, named, milliseconds, server_header="X-Served-By")


def complaints(tally):
    return tally.complaints(compare_shares(WEB1, tally.servers), url="http://lb1/", tolerance=2)


def test_an_answer_names_its_server_and_its_headers():
    tally = answered(
        answered(Tally(), x_served_by="web1", x_release="b"), x_served_by="web1", x_release="a", server="s"
    )
    assert tally.servers == ("web1", "web1")
    assert tally.as_result()["observed_headers"] == {"x-release": ["a", "b"], "x-served-by": ["web1"]}
    assert complaints(tally) == ""


def test_an_answer_without_a_name_is_a_failure():
    tally = answered(Tally(), request=4, server="nginx")
    assert tally.as_result()["failures"] == [
        {"request": 4, "reason": "answered without the header X-Served-By: by another program?"}
    ]


def test_failures_alone_are_told_without_a_table():
    tally = Tally().with_failure(1, "answered 503 Service Unavailable")
    assert complaints(tally).splitlines() == [
        "Not every request to http://lb1/ was answered with 200:",
        "request 1: answered 503 Service Unavailable",
    ]


def test_wrong_shares_are_told_with_a_table():
    assert complaints(answered(Tally(), x_served_by="web9")).splitlines()[-1].endswith("<- unknown")


def test_latencies_are_summed_up():
    tally = Tally()
    for milliseconds in (1.0, 2.04, 90.0):
        tally = answered(tally, milliseconds=milliseconds, x_served_by="web1")
    assert tally.as_result()["latency"] == {"median": 2.0, "maximum": 90.0}


def test_nothing_answered_has_no_latency():
    assert Tally().as_result()["latency"] == {"median": None, "maximum": None}


def test_a_header_that_always_differs_does_not_grow_without_end():
    tally = Tally()
    for number in range(50):
        tally = answered(tally, x_served_by="web1", x_request_id=str(number))
    assert len(tally.headers["x-request-id"]) == 10
