# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All figures arrive; real faults become alerts, which reach people and end with the repair."""

from __future__ import annotations

import base64
import email
import email.policy
import functools
import json
import os
import re
import shlex
import time
import urllib.parse
from pathlib import Path

import pytest
import yaml

from ansible_collections.webinfra.stack.molecule.shared.scenario import INVENTORIES, Scenario
from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.play import ROOT
from ansible_collections.webinfra.stack.tests.unit.alerts import test_alerts as alerts

PROVIDER = os.environ.get("PROVIDER") or "haproxy"
FILES = ROOT / "roles" / "monitoring" / "files"
GIVEN = yaml.safe_load(INVENTORIES[0].read_text())["all"]["vars"]
WEBHOOK, MAIL = GIVEN["monitoring_webhooks"][0], GIVEN["monitoring_mail"]
RECEIVED = "/run/received.jsonl"
MAILBOX = "/run/mailbox"
FETCH = "import sys, urllib.request as u; sys.stdout.write(u.urlopen(sys.argv[1], timeout=10).read().decode())"

PROXY_PORTS = {"haproxy": 8404, "nginx": 9113}
TARGETS = {
    *(("node", host) for host in ("lb1", "web1", "db1", "db2", "mon1")),
    ("balancer", "lb1"),
    ("database", "db1"),
    ("database", "db2"),
    ("app", "web1"),
    ("url", ""),
    ("prometheus", ""),
    ("alertmanager", ""),
}
NOT_ON_A_WELL_STACK = re.compile(
    "webinfra_(certificate_renewal|backup)_|webinfra_host_(unit_failed|shared_address)|"
    "webinfra_replication_finding_info|webinfra_primary_guard_" + ("|haproxy_" if PROVIDER == "nginx" else "")
)
"""Renewals, backups and shared addresses are other scenarios'; the others are there with a fault alone."""
MADE = {
    "AllWebServersDown",
    "CertificateEndsSoon",
    "DiskAlmostFull",
    "ErrantTransactions",
    "ExporterMissing",
    "FirewallInactive",
    "PublicUrlDown",
    "ReplicationStopped",
    "TwoWritablePrimaries",
    "UnitFailed",
    "WebServerDown",
    *(["BalancerSeesServerDown", "NoServerForBalancer"] if PROVIDER == "haproxy" else []),
}
LONGEST_SECONDS = 420
"""A certificate may be over for five minutes; then rules are judged and messages collected."""
eventually = functools.partial(waiting.eventually, seconds=60)


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


@pytest.fixture(scope="session")
def monitor(scenario):
    return Monitor(scenario)


class Monitor:
    """Prometheus and Alertmanager, which answer on the monitoring host alone."""

    def __init__(self, scenario):
        self.host = scenario.host("mon1")

    def fetch(self, path, port=9090):
        return self.host.check_output(f"python3 -c {shlex.quote(FETCH)} %s", f"http://127.0.0.1:{port}{path}")

    def api(self, path):
        return json.loads(self.fetch(f"/api/v1/{path}"))["data"]

    def query(self, query):
        return self.api(f"query?query={urllib.parse.quote(query)}")["result"]

    def firing(self):
        return {each["labels"]["alertname"] for each in self.api("alerts")["alerts"] if each["state"] == "firing"}

    def received(self):
        said = self.host.run(f"cat {RECEIVED}").stdout
        return [json.loads(line) for line in said.splitlines()]

    def mails(self):
        """Return the mails that have arrived."""
        files = self.host.run(f"for mail in {MAILBOX}/new/*; do base64 --wrap=0 $mail && echo; done").stdout
        raw = [base64.b64decode(line) for line in files.splitlines()]
        return [email.message_from_bytes(each, policy=email.policy.default) for each in raw]

    def put(self, path, text):
        encoded = base64.b64encode(text.encode()).decode()
        self.host.check_output(f"echo {encoded} | base64 --decode > {path}")


@pytest.fixture(scope="session")
def receiver(monitor):
    """Somebody who takes the messages."""
    monitor.put("/run/receiver.py", Path(__file__).with_name("receiver.py").read_text())
    port = urllib.parse.urlsplit(WEBHOOK["url"]).port
    monitor.host.check_output(
        f"rm -f {RECEIVED}; systemd-run --unit=receiver --collect /usr/bin/python3 /run/receiver.py {port} {RECEIVED}"
    )
    monitor.host.check_output("apt-get -qq install --yes python3-aiosmtpd 2>&1")
    monitor.host.check_output(
        f"rm -rf {MAILBOX}; systemd-run --unit=mailbox --collect /usr/bin/python3 -m aiosmtpd --nosetuid "
        f"--listen {MAIL['smarthost']} --class aiosmtpd.handlers.Mailbox {MAILBOX}"
    )
    yield monitor
    monitor.host.check_output("systemctl stop receiver mailbox")


def test_everything_is_measured(monitor):
    def well():
        targets = monitor.api("targets")["activeTargets"]
        seen = {(each["labels"]["job"], each["labels"].get("host", "")): each["health"] for each in targets}
        return seen == dict.fromkeys(TARGETS, "up")

    eventually(well)


def test_each_target_says_to_which_tier_it_belongs(monitor):
    tiers = {each["metric"]["host"]: each["metric"]["tier"] for each in monitor.query('up{job="node"}')}
    assert tiers == {
        "lb1": "load_balancers",
        "web1": "web_servers",
        "db1": "db_servers",
        "db2": "db_servers",
        "mon1": "monitoring",
    }


def test_what_the_rules_ask_for_is_served(monitor):
    expressions = [rule["expr"] for _path, rule in alerts.ALERTS.values()]
    prefixes = "node|haproxy|webinfra|mysql|probe|alertmanager|prometheus"
    named = {name for text in expressions for name in re.findall(rf"\b(?:{prefixes})_[a-z0-9_A-Z]+", text)}
    wanted = {name for name in named if not NOT_ON_A_WELL_STACK.match(name)}
    assert len(wanted) > 20
    eventually(lambda: wanted <= set(monitor.api("label/__name__/values")))


def test_every_panel_has_figures(monitor):
    pages = yaml.safe_load((FILES / "panels.yml").read_text())
    panels = [panel for page in pages.values() for section in page["sections"] for panel in section["panels"]]
    for panel in panels:
        if panel.get("only", PROVIDER) == PROVIDER:
            query = panel["query"].replace("$host", "db1")
            eventually(lambda query=query: monitor.query(query))
            assert {label for row in monitor.query(query) for label in row["metric"]} >= set(panel["by"]), query


@pytest.mark.parametrize(("page", "words"), [("stack.html", "The stack"), ("host.html?host=db1", "<h1>db1</h1>")])
def test_the_live_page_is_rendered(monitor, page, words):
    text = monitor.fetch(f"/consoles/{page}")
    assert words in text
    assert "{{" not in text


def test_on_a_well_stack_no_alert_is_firing(monitor):
    eventually(lambda: monitor.firing() == set())
    assert len(monitor.api("rules")["groups"]) == len(list((FILES / "rules").glob("*.yml")))


def test_the_rules_are_tried_by_the_promtool_of_this_release(monitor):
    for path in sorted(alerts.RULES.glob("*.yml")):
        rules = f"/etc/prometheus/rules/webinfra_{path.name}"
        for document in alerts.test_files(rules, alerts.TRIED[path.stem]).values():
            monitor.put("/run/test.yml", yaml.safe_dump(document, width=1000))
            done = monitor.host.run("promtool test rules /run/test.yml")
            assert done.rc == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("target", "port"),
    [("db1", 9100), ("db1", 9104), ("lb1", PROXY_PORTS[PROVIDER]), ("mon1", 9090), ("mon1", 9093), ("mon1", 9115)],
)
def test_nobody_but_monitoring_reaches_the_figures(scenario, target, port):
    assert not scenario.can_reach("web1", target, port)
    if target != "mon1":
        assert scenario.can_reach("mon1", target, port)


def test_secrets_are_read_by_nobody_else(scenario):
    for name, path in (("mon1", "/etc/prometheus/alertmanager.yml"), ("db1", "/etc/prometheus/mysqld-exporter.cnf")):
        file = scenario.host(name).file(path)
        assert (file.user, file.group, file.mode) == ("root", "prometheus", 0o640)
    assert scenario.host("db1").file("/etc/webinfra/host-report.json").mode == 0o600
    assert WEBHOOK["token"] not in scenario.host("mon1").check_output("ps axo args")


def test_the_exporters_account_can_do_nothing_but_look(scenario):
    granted = scenario.sql("db1", "SHOW GRANTS FOR exporter@localhost")
    assert re.findall(r"GRANT (.*?) ON", granted) == ["PROCESS"]


PAIR = "/etc/webinfra/certificate/given.pem"
NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc"
EXPIRED = f"""
cp {PAIR} /run/pair.pem && cd $(mktemp -d)
openssl req -new {NEW_KEY} -subj /CN={GIVEN["webinfra_tls_names"][0]} -keyout key -out request
openssl x509 -req -in request -key key -days 0 -out certificate
cat certificate key > {PAIR} && systemctl restart webinfra-certificate.service
"""
SMALL_DISK = "/srv/small"


def broken(scenario):
    scenario.sql("db2", "STOP REPLICA SQL_THREAD")
    scenario.sql("db2", "SET GLOBAL read_only = 0")
    scenario.host("web1").check_output("systemctl stop guest_book.service && ufw disable")
    scenario.host("db1").check_output("systemctl stop prometheus-mysqld-exporter.service")
    scenario.host("db1").check_output(
        f"mkdir -p {SMALL_DISK} && mount -t tmpfs -o size=4m tmpfs {SMALL_DISK} && fallocate -l 4000K {SMALL_DISK}/full"
    )
    scenario.host("lb1").check_output(EXPIRED)
    scenario.host("mon1").run("systemd-run --wait --unit=broken /bin/false")


def mended(scenario):
    scenario.sql("db2", f"SET GLOBAL {'super_read_only' if scenario.mysql('db2') else 'read_only'} = 1")
    scenario.sql("db2", "START REPLICA SQL_THREAD")
    scenario.host("web1").check_output("systemctl start guest_book.service && ufw --force enable")
    scenario.host("db1").check_output("systemctl start prometheus-mysqld-exporter.service")
    scenario.host("db1").check_output(f"umount {SMALL_DISK}")
    scenario.host("lb1").check_output(f"cat /run/pair.pem > {PAIR} && systemctl restart webinfra-certificate.service")
    scenario.host("mon1").check_output("systemctl reset-failed broken.service")


@pytest.fixture(scope="module")
def faults(scenario, receiver):
    """Make all faults at once; return which alerts fired and what people were told, and mend everything."""
    seen = set()
    broken(scenario)
    deadline = time.monotonic() + LONGEST_SECONDS
    try:
        while not seen >= MADE and time.monotonic() < deadline:
            seen.update(receiver.firing())
        eventually(lambda: "ReplicationStopped" in {each["alert"] for each in receiver.received()})
        eventually(lambda: any("ReplicationStopped" in mail["subject"] for mail in receiver.mails()))
        told, mails = receiver.received(), receiver.mails()
    finally:
        mended(scenario)
    return {"seen": seen, "told": told, "mails": mails}


@pytest.mark.parametrize("alert", sorted(MADE))
def test_a_real_fault_becomes_an_alert(faults, alert):
    assert alert in faults["seen"]


def test_an_alert_reaches_people_with_what_to_do(faults):
    (told,) = [each for each in faults["told"] if each["alert"] == "ReplicationStopped"][:1]
    assert told["token"] == f"Bearer {WEBHOOK['token']}"
    assert told["annotations"]["summary"] == "db2 does not replicate"
    assert told["annotations"]["runbook_url"].endswith("#replicationstopped")


def test_an_alert_reaches_people_by_mail_with_what_to_do(faults):
    mail = next(each for each in faults["mails"] if "ReplicationStopped" in each["subject"])
    assert (mail["to"], mail["from"]) == (MAIL["to"][0], MAIL["from"])
    body = mail.get_body(("html", "plain")).get_content()
    assert "db2 does not replicate" in body
    assert "#replicationstopped" in body


def test_what_another_alert_explains_is_not_told(faults):
    told = {each["alert"] for each in faults["told"]}
    assert "AllWebServersDown" in told
    assert not told & {"WebServerDown", "PublicUrlDown", "BalancerSeesServerDown"}


def test_after_the_repair_every_alert_ends_and_people_are_told(faults, receiver):
    eventually(lambda: not receiver.firing() & MADE, seconds=240)
    eventually(
        lambda: any(
            each["alert"] == "ReplicationStopped" and each["status"] == "resolved" for each in receiver.received()
        ),
        seconds=180,
    )


def test_a_configuration_that_is_refused_changes_nothing(scenario, monitor):
    before = monitor.host.check_output("sha256sum /etc/prometheus/alertmanager.yml")
    play = scenario.site("--tags", "monitoring", "-e", '{"monitoring_webhooks": [{"url": "nonsense"}]}')
    assert play.code != 0
    assert "refuses the new /etc/prometheus/alertmanager.yml" in " ".join(play.output.split())
    assert monitor.host.check_output("sha256sum /etc/prometheus/alertmanager.yml") == before


@pytest.mark.parametrize("options", [(), ("--check", "--diff")], ids=["run", "check"])
def test_another_run_of_the_site_changes_nothing(scenario, options):
    again = scenario.site(*options)
    assert (again.code, sum(again.changed.values())) == (0, 0), again.output
