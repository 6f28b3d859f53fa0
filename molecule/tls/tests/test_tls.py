# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for clients: issued through whichever balancer is asked, renewed under load, kept when that fails."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import json
import logging
import socket
import ssl

import pytest
import yaml

from ansible_collections.webinfra.stack.molecule.shared.scenario import INVENTORIES, STATE, Scenario
from ansible_collections.webinfra.stack.molecule.shared.steady_load import PATIENT, SteadyLoad
from ansible_collections.webinfra.stack.tests import waiting

NAMES = yaml.safe_load(INVENTORIES[0].read_text())["all"]["vars"]["webinfra_tls_names"]
BALANCERS = ("lb1", "lb2")
CERTBOT = "systemctl start certbot.service"
RENEWAL = "/etc/letsencrypt/renewal/webinfra.conf"

eventually = functools.partial(waiting.eventually, seconds=60)
log = logging.getLogger(__name__)


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


@pytest.fixture(scope="session")
def provider(scenario):
    return "haproxy" if scenario.host("lb1").exists("haproxy") else "nginx"


def trusting(root="acme-root.pem"):
    return ssl.create_default_context(cafile=STATE / root)


def connected(address, context, name=NAMES[0]):
    plain = socket.create_connection((address, 443), timeout=10)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except OSError:
        plain.close()
        raise


def shown(scenario, balancer, context=None):
    """Return the certificate that a balancer shows to a client who verifies it."""
    with connected(scenario.address(balancer), context or trusting()) as stream:
        return stream.getpeercert(binary_form=True)


def answer(scenario, balancer, path="/", *, tls=True, method="GET"):
    client = http.client.HTTPConnection(scenario.address(balancer), timeout=10)
    if tls:
        client.sock = connected(scenario.address(balancer), trusting())
    with contextlib.closing(client):
        client.request(method, path, headers={"Host": NAMES[0]})
        response = client.getresponse()
        response.read()
        return response


def record(scenario, balancer):
    return json.loads(scenario.host(balancer).check_output("cat /var/lib/webinfra/certificate.json"))


def metric(scenario, balancer, name):
    lines = scenario.host(balancer).check_output(f"curl -s http://{scenario.address(balancer)}:9100/metrics || true")
    if not lines:
        get = f"import urllib.request as u; print(u.urlopen('http://{scenario.address(balancer)}:9100/metrics').read().decode())"
        lines = scenario.host(balancer).check_output(f'python3 -c "{get}"')
    return next(float(line.split()[-1]) for line in lines.splitlines() if line.startswith(f"{name}"))


def lead_names_to(scenario, balancer):
    """Let the authority reach this balancer, and nobody else, under our names."""
    line = f"{scenario.address(balancer)} {' '.join(NAMES)}"
    scenario.host("acme1").check_output(
        f"sed '/tls.example/d' /etc/hosts > /run/hosts && echo '{line}' >> /run/hosts && cat /run/hosts > /etc/hosts"
    )


@pytest.fixture
def due(scenario):
    """Let every run of certbot renew, as if the end were near."""
    for name in BALANCERS:
        scenario.host(name).check_output(f"sed -i '1i renew_before_expiry = 3650 days' {RENEWAL}")
    yield
    for name in BALANCERS:
        scenario.host(name).check_output(f"sed -i /renew_before_expiry/d {RENEWAL}")


def test_every_balancer_has_a_certificate_of_its_own_for_all_names(scenario):
    for balancer in BALANCERS:
        for name in NAMES:
            connected(scenario.address(balancer), trusting(), name).close()
    assert len({shown(scenario, balancer) for balancer in BALANCERS}) == len(BALANCERS)


def test_the_key_is_an_elliptic_curve_and_only_root_reads_it(scenario):
    for balancer in BALANCERS:
        host = scenario.host(balancer)
        assert "id-ecPublicKey" in host.check_output(
            "openssl x509 -noout -text -in /etc/webinfra/certificate/served/certificate.pem"
        )
        keys = host.check_output(
            "find /etc/webinfra/certificate /etc/letsencrypt/archive -name '*.pem' -exec grep -l PRIVATE {} +"
        )
        modes = {host.check_output(f"stat -c '%a %U' {path}") for path in keys.split()}
        assert modes == {"600 root"}


def test_who_comes_without_tls_is_sent_to_it_and_told_to_stay(scenario):
    for balancer in BALANCERS:
        sent = answer(scenario, balancer, "/entries?page=2", tls=False)
        assert (sent.status, sent.headers["Location"]) == (308, f"https://{NAMES[0]}/entries?page=2")
        told = answer(scenario, balancer)
        assert (told.status, told.headers["Strict-Transport-Security"]) == (200, "max-age=3600")


@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        (ssl.TLSVersion.TLSv1, False),
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
    ids=["1.0", "1.1", "1.2", "1.3"],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_of_tls_are_refused_by_the_balancer(scenario, version, accepted):
    context = trusting()
    # Else this client would refuse by itself.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    for balancer in BALANCERS:
        if accepted:
            connected(scenario.address(balancer), context).close()
            continue
        with pytest.raises(ssl.SSLError, match=r"(?i)alert.protocol.version"):
            connected(scenario.address(balancer), context)


@pytest.mark.parametrize(("issuing", "asked"), [("lb1", "lb2"), ("lb2", "lb1")])
def test_a_renewal_under_load_loses_no_request_whichever_balancer_is_asked(scenario, due, issuing, asked):
    lead_names_to(scenario, asked)
    before = shown(scenario, issuing)
    with SteadyLoad(scenario.address(issuing), patience=PATIENT, encryption=trusting(), name=NAMES[0]) as load:
        scenario.host(issuing).check_output(CERTBOT)
        eventually(lambda: shown(scenario, issuing) != before)
    log.info("%s", load.outcome)
    assert load.outcome.requests > 100
    assert not load.outcome.failures
    assert record(scenario, issuing)["renewal"]["failed"] is False
    assert metric(scenario, issuing, "webinfra_certificate_renewal_failed") == 0


def test_both_renew_at_the_same_moment(scenario, due):
    before = {balancer: shown(scenario, balancer) for balancer in BALANCERS}
    for balancer in BALANCERS:
        scenario.host(balancer).check_output("systemctl start --no-block certbot.service")
    for balancer in BALANCERS:
        eventually(lambda balancer=balancer: shown(scenario, balancer) != before[balancer])


def test_the_site_has_nothing_to_do_after_a_renewal(scenario):
    play = scenario.site()
    assert (play.code, sum(play.changed.values())) == (0, 0), play.output
    assert f"https://{NAMES[0]}" in play.output


def test_the_page_of_the_stack_has_the_certificate_of_each_balancer(scenario, tmp_path):
    play = scenario.play("webinfra.stack.status", "-e", f"status_directory={tmp_path}")
    assert play.code == 0, play.output
    hosts = {host["name"]: host for host in json.loads((tmp_path / "status.json").read_text())["hosts"]}
    for balancer in BALANCERS:
        (certificate,) = hosts[balancer]["certificates"]
        assert certificate["names"] == NAMES
        assert certificate["days_left"] > 0
    assert "certificates" not in hosts["web1"] or hosts["web1"]["certificates"] == []


def test_a_failed_renewal_keeps_the_certificate_and_says_so(scenario, due):
    before = shown(scenario, "lb1")
    # Not stopped: it would come back as another authority.
    deaf = "INPUT -p tcp --dport 14000 -j REJECT --reject-with tcp-reset"
    scenario.host("acme1").check_output(f"iptables -I {deaf}")
    try:
        assert scenario.host("lb1").run(CERTBOT).rc != 0
    finally:
        scenario.host("acme1").check_output(f"iptables -D {deaf}")
    assert shown(scenario, "lb1") == before
    assert record(scenario, "lb1")["renewal"]["failed"] is True
    assert "journalctl" in record(scenario, "lb1")["renewal"]["reason"]
    assert metric(scenario, "lb1", "webinfra_certificate_renewal_failed") == 1


def test_a_certificate_with_which_the_balancer_would_not_start_is_not_served(scenario, provider):
    configuration = {"haproxy": "/etc/haproxy/haproxy.cfg", "nginx": "/etc/nginx/nginx.conf"}[provider]
    host = scenario.host("lb1")
    before = shown(scenario, "lb1")
    serve = "python3 -I /usr/local/lib/webinfra/serve_certificate.py serve"
    host.check_output("cp -a /etc/webinfra/certificate/settings.json /run/settings.json")
    host.check_output(f"cp -a {configuration} /run/configuration")
    try:
        host.check_output(f"echo nonsense >> {configuration}")
        # What is wanted is the given one now.
        host.check_output('sed -i \'s/"acme": true/"acme": false/\' /etc/webinfra/certificate/settings.json')
        refused = host.run(serve)
    finally:
        host.check_output(f"cp -a /run/configuration {configuration}")
        host.check_output("cp -a /run/settings.json /etc/webinfra/certificate/settings.json")
    assert refused.rc != 0
    assert "the old one stays in use" in refused.stderr
    assert shown(scenario, "lb1") == before
    host.check_output(serve)
    host.check_output(f"systemctl reload {provider}")
    assert shown(scenario, "lb1") == before


def test_what_is_internal_is_trusted_by_who_trusts_our_authority(scenario):
    options = ("-e", "webinfra_tls_mode=internal", "-e", "webinfra_tls_trusted_ca=")
    try:
        play = scenario.site(*options)
        assert play.code == 0, play.output
        for balancer in BALANCERS:
            shown(scenario, balancer, trusting("state/ca/ca.pem"))
        again = scenario.site(*options)
        assert (again.code, sum(again.changed.values())) == (0, 0), again.output
    finally:
        back = scenario.site()
    assert back.code == 0, back.output
    for balancer in BALANCERS:
        shown(scenario, balancer)


def test_what_is_provided_and_does_not_fit_stops_before_anything_is_changed(scenario, tmp_path):
    ca = STATE / "state" / "ca"
    given = {
        "webinfra_tls_mode": "provided",
        "webinfra_tls_certificate": (ca / "lb1-https.pem").read_text(),
        "webinfra_tls_private_key": (ca / "lb2-https.key").read_text(),
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    play = scenario.site("-e", f"@{tmp_path / 'given.json'}")
    assert play.code != 0
    assert "webinfra_tls_certificate and webinfra_tls_private_key do not belong together" in " ".join(
        play.output.split()
    )
    assert "PRIVATE KEY" not in play.output
    assert not any(play.changed.values()), play.output


def secrets():
    """Return what nobody else may know: generated passwords, and a line of each private key of the controller's."""
    state = STATE / "state"
    passwords = [path.read_text().strip() for path in (state / "secrets").iterdir()]
    keys = [path.read_text().splitlines()[2] for path in (state / "ca").glob("*.key")]
    return [*passwords, *keys]


def found_on(host, hidden):
    """Return where a host has one of them: files that everybody may read, its journal, its command lines."""
    patterns = "/root/patterns"
    # In other letters, because sudo writes each command into the journal.
    words = base64.b64encode("\n".join(hidden).encode() + b"\n").decode()
    host.check_output(f"umask 077 && echo {words} | base64 --decode > {patterns}")
    try:
        rooms = "/etc /home /opt /root /run /srv /tmp /usr/local /var"
        files = f"find {rooms} -xdev -type f -perm -o=r ! -path '/run/systemd/*' -print0 2>/dev/null"
        readable = host.run(f"{files} | xargs -0 grep -lFf {patterns} 2>/dev/null").stdout.split()
        journal = host.run(f"journalctl --no-pager --output cat | grep -cFf {patterns}").stdout.strip()
        lines = host.run(f"cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -cFf {patterns}").stdout.strip()
        there = host.run(f"grep -rlFf {patterns} /etc /var/lib/webinfra /srv 2>/dev/null").stdout.split()
    finally:
        host.check_output(f"rm {patterns}")
    return readable, journal, lines, there


def test_no_secret_is_readable_or_told_after_a_run_that_changes_them(scenario, tmp_path):
    """With a new password for the application, so that what has it is written, and shown as a difference."""
    (tmp_path / "new.json").write_text(json.dumps({"webinfra_app_password": "Brandnewsecret0123456789"}))
    try:
        play = scenario.site("-vvv", "--diff", "-e", f"@{tmp_path / 'new.json'}")
        assert play.code == 0, play.output
        hidden = [*secrets(), "Brandnewsecret0123456789"]
        assert [secret for secret in hidden if secret in play.output] == []
        found = {name: found_on(scenario.host(name), hidden) for name in ("lb1", "lb2", "web1", "db1")}
    finally:
        back = scenario.site()
    assert back.code == 0, back.output
    for name, (readable, journal, lines, there) in found.items():
        assert (name, readable, journal, lines) == (name, [], "0", "0")
        # Somebody needs them, so this search finds what is there.
        assert there


def test_a_host_that_may_go_only_where_a_flow_leads_it_goes_nowhere_else(scenario):
    options = ("-e", "firewall_outgoing=deny")
    connect = "timeout 3 bash -c '</dev/tcp/{}/{}'"
    try:
        play = scenario.site(*options)
        assert play.code == 0, play.output
        again = scenario.site(*options)
        assert (again.code, sum(again.changed.values())) == (0, 0), again.output
        web, address = scenario.host("web1"), scenario.address
        assert web.run(connect.format(address("db1"), 3306)).rc == 0
        # Open to everybody, and not the way of a web server.
        assert web.run(connect.format(address("db1"), 22)).rc != 0
        assert web.run(connect.format(address("acme1"), 14000)).rc != 0
        assert scenario.host("lb1").run(connect.format(address("acme1"), 14000)).rc == 0
        assert "deny (outgoing)" in web.check_output("ufw status verbose")
    finally:
        back = scenario.site()
    assert back.code == 0, back.output
    assert scenario.host("web1").run(connect.format(scenario.address("db1"), 22)).rc == 0
