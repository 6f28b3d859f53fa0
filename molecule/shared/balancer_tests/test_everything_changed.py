# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every choice of the role load_balancer at once, another one than its default."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import socket
import ssl
import time
from pathlib import Path

import pytest
import yaml

from ansible_collections.webinfra.stack.tests.play import ROOT

EVERYTHING = Path(__file__).with_name("everything.yml")
CHANGED = yaml.safe_load(EVERYTHING.read_text())
ROLE = ROOT / "roles" / "load_balancer"
GIVEN = {"load_balancer_provider", "load_balancer_stopped_units"}
"""By the scenario and by the playbook."""
THE_SAME = {"load_balancer_health_status"}
"""The application has no page that answers another status and is well."""

SITE = ("-e", f"@{EVERYTHING}")
PORT, HTTPS_PORT = CHANGED["load_balancer_port"], CHANGED["load_balancer_https_port"]
NAME = CHANGED["load_balancer_certificates"][0]["names"][0]


@pytest.fixture(scope="module")
def changed(scenario):
    """The stack with everything changed, and the authority of its certificate."""
    files = "-keyout /etc/ssl/private/changed.key -out /etc/ssl/certs/changed.pem"
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2"
    names = f"-subj /CN={NAME} -addext subjectAltName=DNS:{NAME}"
    scenario.host("lb1").check_output(f"openssl req -x509 {key} {names} {files}")
    built = scenario.site(*SITE)
    assert built.code == 0, built.output
    yield scenario.host("lb1").check_output("cat /etc/ssl/certs/changed.pem")
    back = scenario.site()
    assert back.code == 0, back.output


@pytest.fixture
def request_(scenario, changed):
    def ask(path="/", *, tls=False, body=None, **headers):
        address = scenario.address("lb1")
        if tls:
            context = ssl.create_default_context(cadata=changed)
            client = http.client.HTTPSConnection(NAME, context=context)
            plain = socket.create_connection((address, HTTPS_PORT), timeout=10)
            client.sock = context.wrap_socket(plain, server_hostname=NAME)
        else:
            client = http.client.HTTPConnection(address, PORT, timeout=10)
        with contextlib.closing(client):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            client.request("POST" if body else "GET", path, body=body, headers={"Host": NAME, **named})
            response = client.getresponse()
            response.text = response.read().decode()
            return response

    return ask


def test_every_choice_of_the_role_is_another_one_here():
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    assert CHANGED.keys() == defaults.keys() - GIVEN
    assert {name for name, value in CHANGED.items() if value == defaults[name]} == THE_SAME


def test_another_run_changes_nothing_and_check_mode_knows_it(scenario, changed):
    for options in ((), ("--check", "--diff")):
        again = scenario.site(*SITE, *options)
        assert (again.code, sum(again.changed.values())) == (0, 0), again.output


def test_the_url_that_is_shown_has_the_port(scenario, changed):
    assert f"\nhttp://{scenario.address('lb1')}:{PORT}\n" in scenario.verify(*SITE).output


def test_clients_are_answered_at_the_new_ports_alone(scenario, request_):
    assert request_(tls=True).status == 200
    with pytest.raises(OSError, match=r"timed out|refused"):
        socket.create_connection((scenario.address("lb1"), 80), timeout=2)


def test_who_comes_without_tls_is_sent_to_the_new_port(request_):
    sent = request_("/there?a=b")
    assert (sent.status, sent.headers["Location"]) == (308, f"https://{NAME}:{HTTPS_PORT}/there?a=b")
    assert request_("/there", X_Forwarded_Proto="https").status != 308
    assert request_(tls=True).headers["Strict-Transport-Security"] == "max-age=3600"


def test_answers_have_the_headers_that_were_asked_for(request_):
    headers = request_(tls=True).headers
    assert (headers["X-Changed"], headers["X-Frame-Options"]) == ("it's; changed", None)


def test_a_trusted_proxy_gives_the_id(request_):
    assert request_(tls=True, X_Request_ID="mine").headers["X-Request-ID"] == "mine"


def test_a_client_is_known_by_the_cookie(request_):
    cookie = request_(tls=True).headers["Set-Cookie"].partition(";")[0]
    assert cookie.startswith("sticky=")
    assert len({request_(tls=True, Cookie=cookie).headers["X-Served-By"] for _ in range(10)}) == 1


def test_a_body_above_the_limit_is_refused(request_):
    assert request_("/entries", tls=True, body=b"x" * (1024 * 1024 + 1)).status == 413


def test_the_balancer_answers_for_itself(request_):
    assert request_("/alive").status == 200


def test_figures_are_served_where_it_was_said(scenario, changed):
    page = scenario.host("lb1").check_output(
        "python3 -c \"import urllib.request as u; print(u.urlopen('http://127.0.0.1:9404/status').read().decode())\""
    )
    assert "Statistics Report" in page or "Active connections" in page


def test_a_client_gets_no_more_than_its_share(request_, eventually):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: request_().status, range(1000)))
    assert {200, 429} <= set(answers)
    eventually(lambda: request_().status == 200)


def opened(scenario, count=1):
    return [socket.create_connection((scenario.address("lb1"), PORT), timeout=10) for _ in range(count)]


def test_a_client_gets_no_more_connections_than_its_share(scenario, request_, eventually):
    crowd = opened(scenario, 40)
    try:
        for connection in crowd:
            with contextlib.suppress(OSError):
                connection.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        heads = []
        for connection in crowd:
            with contextlib.suppress(OSError):
                heads.append(connection.recv(4096)[:12])
    finally:
        for connection in crowd:
            connection.close()
    assert b"HTTP/1.1 429" in heads
    eventually(lambda: request_().status == 200)


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("GET / HTTP/1.1\r\n", "load_balancer_request_timeout"),
        ("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n", "load_balancer_keepalive_timeout"),
    ],
    ids=["half a head", "nothing after an answer"],
)
def test_who_says_nothing_does_not_keep_a_place(scenario, changed, said, limit):
    (connection,) = opened(scenario)
    with contextlib.closing(connection):
        connection.sendall(said.encode())
        begin = time.monotonic()
        while connection.recv(4096):
            pass
        assert time.monotonic() - begin == pytest.approx(CHANGED[limit], abs=1.5)


def test_without_a_server_there_is_the_page_of_the_house(scenario, request_, eventually):
    for name in ("web1", "web2"):
        scenario.host(name).check_output("systemctl stop guest_book.service")
    try:
        eventually(lambda: request_(tls=True).status == 503)
        assert "<h1>Closed for today</h1>" in request_(tls=True).text
    finally:
        for name in ("web1", "web2"):
            scenario.host(name).check_output("systemctl start guest_book.service")
    eventually(lambda: request_(tls=True).status == 200)


def test_nobody_listens_on_ipv6(scenario, changed):
    assert f"[::]:{PORT}" not in scenario.host("lb1").check_output("ss -Hltn")
