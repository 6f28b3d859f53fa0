# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes a balancer, what it changes and what it keeps away, with either provider."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import socket
import time
import urllib.parse

import pytest

from .conftest import eventually, without_applications

pytestmark = pytest.mark.balancer

FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Request-ID": "forged",
}


def connected(demo) -> socket.socket:
    address = urllib.parse.urlsplit(demo.url)
    return socket.create_connection((address.hostname, address.port), timeout=10)


def test_headers_that_only_a_proxy_of_ours_may_set_are_replaced(echo):
    heard = json.loads(echo.request("/", headers=FORGED).text)
    assert "203.0.113.9" not in heard["x-forwarded-for"]
    assert heard["x-forwarded-proto"] == "http"
    assert heard["x-request-id"] not in {"", "forged"}


def test_a_proxy_that_is_trusted_is_believed(echo, overlay):
    trusted = overlay({}, {"load_balancer_trusted_proxies": ["10.213.80.0/24"]})
    try:
        assert echo.site("--tags", "load_balancer", inventories=[trusted]).changed["lb1"] == 1
        heard = json.loads(echo.request("/", headers=FORGED).text)
        assert heard["x-forwarded-for"].startswith("203.0.113.9")
        assert (heard["x-forwarded-proto"], heard["x-request-id"]) == ("https", "forged")
        assert json.loads(echo.request("/").text)["x-request-id"]
    finally:
        assert echo.site("--tags", "load_balancer").changed["lb1"] == 1


def test_a_websocket_passes_through(echo):
    with connected(echo) as stream:
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        stream.sendall(b"GET / HTTP/1.1\r\nHost: demo\r\n" + upgrade + key + b"\r\n")
        assert stream.recv(4096).startswith(b"HTTP/1.1 101 ")
        for word in (b"one", b"two"):
            stream.sendall(word)
            assert stream.recv(16) == word


def test_every_request_has_an_id_that_its_answer_tells(demo):
    told = {demo.request("/healthz").headers["X-Request-ID"] for _ in range(5)}
    assert len(told) == 5
    assert None not in told


def test_without_a_server_there_is_a_clear_page_and_it_recovers_by_itself(demo):
    with without_applications(demo, "web1", "web2"):
        eventually(lambda: demo.request("/").status == 503, seconds=10)
        answer = demo.request("/")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "Back in a moment" in answer.text
        assert answer.headers.get_all("X-Content-Type-Options") == ["nosniff"]


def test_a_body_that_is_too_big_is_refused(demo):
    with connected(demo) as stream:
        stream.sendall(b"POST /entries HTTP/1.1\r\nHost: demo\r\nContent-Length: 999999999\r\n\r\n")
        assert b" 413 " in stream.recv(4096).split(b"\r\n")[0]


def test_a_head_of_64_kib_is_refused_and_others_go_on(demo):
    with connected(demo) as stream:
        with contextlib.suppress(OSError):
            stream.sendall(b"GET / HTTP/1.1\r\nHost: demo\r\nX-Filler: " + b"x" * 65536 + b"\r\n\r\n")
        assert stream.recv(4096).split()[1] in {b"400", b"414", b"431"}
    assert demo.servers_of(20).keys() == {"web1", "web2"}


def test_clients_that_never_finish_their_request_keep_nobody_else_out(demo):
    """What is called slowloris: they send a line now and then."""
    with contextlib.ExitStack() as clients:
        slow = [clients.enter_context(connected(demo)) for _ in range(500)]
        for stream in slow:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: demo\r\n")
        begin = time.monotonic()
        assert demo.servers_of(40).keys() == {"web1", "web2"}
        assert time.monotonic() - begin < 5
        for stream in slow[:50]:
            stream.sendall(b"X-More: of it\r\n")
        eventually(lambda: ended(slow[0]), seconds=15)


def ended(stream: socket.socket) -> bool:
    """Tell whether the balancer has given up on a client."""
    stream.settimeout(0.1)
    try:
        return stream.recv(4096) is not None
    except TimeoutError:
        return False


def test_more_than_a_client_is_allowed_is_refused(demo, overlay):
    limited = overlay({}, {"load_balancer_requests_per_client": 5})
    try:
        assert demo.site("--tags", "load_balancer", inventories=[limited]).code == 0
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: demo.request("/healthz").status, range(60)))
        assert 429 in answers
        assert 200 in answers
    finally:
        assert demo.site("--tags", "load_balancer").changed["lb1"] == 1
    eventually(lambda: demo.servers_of(40).total() == 40, seconds=10)
