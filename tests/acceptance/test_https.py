# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that come over TLS, clients that are known by a cookie, and who reads figures, with either provider."""

from __future__ import annotations

import collections
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import typing as t

import pytest

pytestmark = pytest.mark.balancer

BALANCER = "10.213.80.11"
FIRST, SECOND = "www.demo.example", "other.demo.example"
FIGURES = f"import urllib.request as u; print(u.urlopen('http://{BALANCER}:8404%s', timeout=3).read().decode())"


def certificate_of(demo, name: str) -> str:
    """Issue one on the balancer's host, in the place of one that may be there."""
    files = ["-keyout", f"/etc/ssl/private/{name}.key", "-out", f"/etc/ssl/certs/{name}.pem"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"]
    demo.on(
        "lb1", "openssl", "req", "-x509", *key, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", *files
    )
    return demo.on("lb1", "cat", f"/etc/ssl/certs/{name}.pem")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    paths = [
        {"names": [name], "certificate": f"/etc/ssl/certs/{name}.pem", "private_key": f"/etc/ssl/private/{name}.key"}
        for name in (FIRST, SECOND)
    ]
    variables = {
        "load_balancer_certificates": paths,
        "load_balancer_https_redirect_enabled": True,
        "load_balancer_hsts_seconds": 3600,
        "load_balancer_algorithm": "cookie",
    }
    path = tmp_path_factory.mktemp("https") / "overlay.yml"
    path.write_text(json.dumps({"all": {"vars": variables, "children": {"monitoring": {"hosts": {"db1": {}}}}}}))
    return path


@pytest.fixture(scope="module")
def https(demo, inventory):
    """The demo with certificates, and what they are."""
    certificates = {name: certificate_of(demo, name) for name in (FIRST, SECOND)}
    try:
        built = demo.site("--tags", "firewall,load_balancer", inventories=[inventory])
        assert built.code == 0, built.output
        yield certificates
    finally:
        back = demo.site("--tags", "firewall,load_balancer")
    assert back.code == 0, back.output


def trusting(certificate: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificate)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Client(http.client.HTTPSConnection):
    """Asks the balancer by a name that no DNS knows."""

    def connect(self) -> None:
        plain = socket.create_connection((BALANCER, 443), timeout=10)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


def ask(context: ssl.SSLContext, name: str = FIRST, path: str = "/healthz", **headers: str) -> http.client.HTTPResponse:
    client = Client(name, context=context)
    client.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = client.getresponse()
    response.text = response.read().decode()
    client.close()
    return response


def test_each_name_is_answered_with_its_certificate(https):
    for name in (FIRST, SECOND):
        assert ask(trusting(https[name]), name).status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(trusting(https[FIRST]), SECOND)


def test_a_name_that_nobody_knows_is_answered_with_the_first_certificate(https):
    context = trusting(https[FIRST])
    context.check_hostname = False
    assert ask(context, "nobody.demo.example").status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_a_client_that_comes_again_resumes_its_session(https, version):
    context = trusting(https[FIRST])
    context.minimum_version = context.maximum_version = version
    session, resumed = None, []
    for _ in range(3):
        plain = socket.create_connection((BALANCER, 443), timeout=10)
        with context.wrap_socket(plain, server_hostname=FIRST, session=session) as stream:
            stream.sendall(f"GET /healthz HTTP/1.1\r\nHost: {FIRST}\r\n\r\n".encode())
            assert stream.recv(4096).startswith(b"HTTP/1.1 200 ")
            session = stream.session
            resumed.append(stream.session_reused)
    assert resumed == [False, True, True]


def test_http_2_is_spoken_with_clients_that_want_it(https):
    context = trusting(https[FIRST])
    context.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection((BALANCER, 443), timeout=10)
    with context.wrap_socket(plain, server_hostname=FIRST) as stream:
        assert stream.selected_alpn_protocol() == "h2"


@pytest.mark.skipif(shutil.which("curl") is None, reason="Python has no HTTP/2")
def test_a_request_over_http_2_is_answered(https, tmp_path):
    (tmp_path / "ca.pem").write_text(https[FIRST])
    wanted = ["--http2", "--cacert", str(tmp_path / "ca.pem"), "--resolve", f"{FIRST}:443:{BALANCER}"]
    shown = ["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"]
    done = subprocess.run(
        ["curl", *wanted, *shown, f"https://{FIRST}/healthz"], capture_output=True, text=True, check=False
    )
    assert done.stdout == "2 200", done.stderr


@pytest.mark.parametrize("path", ["/", "/entries?page=2"])
def test_who_comes_without_tls_is_sent_to_it(https, demo, path):
    answer = demo.request(path, headers={"Host": f"{FIRST}:8080"})
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{FIRST}{path}")


@pytest.mark.parametrize("path", ["/healthz", "/.well-known/acme-challenge/token"])
def test_who_asks_for_health_or_for_a_challenge_is_not(https, demo, path):
    assert demo.request(path).status in {200, 404}


def test_browsers_are_told_to_come_over_tls_and_only_there(https, demo):
    assert ask(trusting(https[FIRST])).headers["Strict-Transport-Security"] == "max-age=3600"
    assert demo.request("/healthz").headers["Strict-Transport-Security"] is None


def test_servers_are_told_that_the_client_came_over_tls(https, echo):
    heard = json.loads(ask(trusting(https[FIRST]), path="/", X_Forwarded_Proto="http").text)
    assert heard["x-forwarded-proto"] == "https"
    assert json.loads(echo.request("/healthz").text)["x-forwarded-proto"] == "http"


def test_a_client_with_the_cookie_stays_with_its_server_and_others_are_spread(https):
    context = trusting(https[FIRST])
    found: dict[str, t.Counter[str]] = {}
    for _ in range(8):
        first = ask(context)
        cookie = first.headers["Set-Cookie"]
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        answers = [first, *(ask(context, Cookie=cookie.partition(";")[0]) for _ in range(5))]
        assert [answer.headers["Set-Cookie"] for answer in answers[1:]] == [None] * 5
        found[cookie] = collections.Counter(answer.headers["X-Served-By"] for answer in answers)
    assert [len(servers) for servers in found.values()] == [1] * 8
    assert len({ask(context).headers["X-Served-By"] for _ in range(40)}) == 2


def test_figures_are_shown_to_who_monitors_and_to_nobody_else(https, demo):
    shown = demo.on("db1", "python3", "-c", FIGURES % "/status")
    assert {"haproxy": "Statistics Report", "nginx": "Active connections"}[demo.provider] in shown
    if demo.provider == "haproxy":
        assert "haproxy_backend_http_responses_total" in demo.on("db1", "python3", "-c", FIGURES % "/metrics")
    with pytest.raises(AssertionError, match="timed out"):
        demo.on("web1", "python3", "-c", FIGURES % "/status")


def test_a_renewed_certificate_is_taken_over_by_a_reload_and_only_then(https, demo, inventory):
    def started() -> str:
        return demo.on("lb1", "systemctl", "show", "--property=ExecMainStartTimestampMonotonic", demo.provider)

    before = started()
    options = ("--tags", "load_balancer", "--diff")
    assert demo.site(*options, inventories=[inventory]).changed["lb1"] == 0
    https[FIRST] = certificate_of(demo, FIRST)
    renewed = demo.site(*options, inventories=[inventory])
    assert renewed.changed["lb1"] == 1, renewed.output
    assert "PRIVATE KEY" not in renewed.output
    assert ask(trusting(https[FIRST])).status == 200
    assert started() == before


def test_a_certificate_that_is_not_there_changes_nothing(https, demo, inventory, overlay):
    absent = {"names": ["x.example"], "certificate": "/etc/ssl/certs/absent.pem", "private_key": "/etc/ssl/absent.key"}
    refused = demo.site("--tags", "load_balancer", inventories=[overlay({}, {"load_balancer_certificates": [absent]})])
    assert refused.code != 0
    assert "/etc/ssl/certs/absent.pem: no such file on this host" in refused.output
    assert ask(trusting(https[FIRST])).status == 200


def test_clients_are_answered_over_ipv6_where_the_host_has_it(demo):
    families = demo.on("lb1", "sh", "-c", "test -e /proc/net/if_inet6 && ss -Hltn6 'sport = :80' || echo none")
    assert "[::]:80" in families or families.strip() == "none"
