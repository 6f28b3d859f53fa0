# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators see: a site that can be run at any time, and refuses before it breaks something."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import INVENTORY, ROOT, steady_requests

HOSTS = {"lb1", "web1", "web2", "db1", "db2"}
PRIMARY_KEEPS_WRITING = "SELECT @@global.read_only"


def changes_nothing(play) -> bool:
    return play.code == 0 and set(play.changed) >= HOSTS and not any(play.changed.values())


def test_a_second_run_changes_nothing(demo):
    play = demo.site()
    assert changes_nothing(play), play.output


def test_check_mode_on_a_converged_stack_predicts_nothing(demo):
    play = demo.site("--check", "--diff")
    assert changes_nothing(play), play.output


def test_check_mode_predicts_a_change_and_does_not_make_it(demo, overlay):
    changed = overlay({"web2": {"weight": 2}})
    predicted = demo.site("--check", "--diff", "--tags", "load_balancer", inventories=[changed])
    assert predicted.changed["lb1"] == 1, predicted.output
    assert "+    server web2" in predicted.output
    assert changes_nothing(demo.site())


def test_what_was_changed_by_hand_is_put_back(demo):
    """One kind of damage a host, none of which a look at the files of the controller would show."""
    demo.on("lb1", "systemctl", "stop", "prometheus-node-exporter.service")
    demo.on(
        "web1", "ufw", "--force", "delete", "allow", "from", "10.213.80.11", "to", "any", "port", "8000", "proto", "tcp"
    )
    demo.on("web2", "chmod", "0644", "/etc/guest_book/secrets")
    rule = "ufw-user-input -s 10.213.80.21/32 -p tcp -m tcp --dport 3306 -j ACCEPT"
    demo.on("db1", "iptables", "-D", *rule.split())
    demo.on("db2", "sh", "-c", "echo '# edited' >> /etc/default/prometheus-node-exporter")
    mended = demo.site()
    assert mended.code == 0, mended.output
    assert {host for host, count in mended.changed.items() if count} == HOSTS, mended.output
    assert demo.on("lb1", "systemctl", "is-active", "prometheus-node-exporter.service").strip() == "active"
    assert demo.on("web2", "stat", "--format", "%a", "/etc/guest_book/secrets").strip() == "600"
    assert f"-A {rule}\n" in demo.on("db1", "iptables", "-S")
    assert changes_nothing(demo.site())


def test_one_host_alone_can_be_built(demo):
    play = demo.site("--limit", "web1")
    assert play.code == 0, play.output
    assert play.changed == {"web1": 0}


@pytest.mark.parametrize("role", ["firewall", "database", "replication", "web_app", "load_balancer", "node_exporter"])
def test_one_role_alone_can_be_run(demo, role):
    play = demo.site("--tags", role)
    assert play.code == 0, play.output
    assert not any(play.changed.values()), play.output


def test_no_secret_is_printed_even_when_passwords_change(demo, tmp_path):
    kept = [path.read_text().strip() for path in (ROOT / ".demo/state/secrets").iterdir()]
    assert len(kept) >= 3
    names = ("app", "operator", "mover", "seeding", "replication")
    given = {f"webinfra_{name}_password": f"Another-secret-of-{name}" for name in names}
    (tmp_path / "given.json").write_text(json.dumps(given))
    for options in (["-e", f"@{tmp_path}/given.json"], []):
        play = demo.site("-vvv", "--diff", *options)
        assert play.code == 0, play.output
        assert any(play.changed.values())
        assert [secret for secret in (*kept, *given.values()) if secret in play.output] == []
    assert changes_nothing(demo.site())


def lets_in(demo, account: str, password: str) -> bool:
    """Tell whether the primary lets the application in from a web server."""
    program = (
        "import pymysql, ssl, sys\n"
        "trust = ssl.create_default_context(cafile='/etc/guest_book/database-ca.pem'); trust.check_hostname = False\n"
        "try: pymysql.connect(host='127.0.0.1', user=sys.argv[1], password=sys.stdin.read(), ssl=trust)\n"
        "except pymysql.err.OperationalError as error: print(error.args[0])\n"
    )
    said = demo.docker(
        "exec", "--interactive", "webinfra-demo-web1", "python3", "-c", program, account, stdin=password
    ).strip()
    assert said in {"", "1045"}, said
    return said == ""


def test_passwords_are_rotated_without_a_lost_request_and_old_ones_get_nobody_in(demo):
    rotated, kept = ("app", "operator", "mover", "replication"), ("seeding", "fingerprint")
    before = {name: demo.secret(name) for name in rotated + kept}
    with steady_requests(demo, writing=True) as answered:
        play = demo.play("webinfra.stack.rotate_secrets", "-e", f"rotate={','.join(rotated)}", "-vvv", "--diff")
    assert play.code == 0, play.output
    after = {name: demo.secret(name) for name in rotated + kept}
    assert tuple(name for name in after if after[name] == before[name]) == kept
    assert answered.keys() == {"web1", "web2"}, answered
    assert [secret for secret in (*before.values(), *after.values()) if secret in play.output] == []
    assert (lets_in(demo, "guest_book", after["app"]), lets_in(demo, "guest_book", before["app"])) == (True, False)
    assert changes_nothing(demo.site())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-e", "rotate=apps"], "apps is no account of this stack"),
        (["-e", "rotate=app", "-e", "webinfra_app_password=from-a-vault"], "The inventory gives the password of app"),
        (["--limit", "web1"], "--limit leaves out"),
    ],
    ids=["an unknown name", "a password of a vault", "some hosts only"],
)
def test_what_cannot_be_rotated_is_refused_before_anything_is_touched(demo, options, words):
    before = demo.secret("app")
    play = demo.play("webinfra.stack.rotate_secrets", *options)
    assert play.code != 0
    assert words in " ".join(play.output.split())
    assert not any(play.changed.values())
    assert demo.secret("app") == before


def test_new_settings_reach_a_running_application_without_a_lost_request(demo, overlay):
    settings = overlay({}, {"web_app_cpu_quota_percent": 150})
    with steady_requests(demo, writing=True) as answered:
        changed = demo.site(inventories=[settings])
        assert changed.code == 0, changed.output
        assert "CPUQuotaPerSecUSec=1.500000s" in demo.on("web1", "systemctl", "show", "guest_book.service")
        back = demo.site()
        assert back.code == 0, back.output
    assert answered.keys() == {"web1", "web2"}, answered


def test_no_secret_is_in_the_journal_of_a_host(demo):
    """Modules write there what they were asked for, and keys have several lines."""
    state = ROOT / ".demo/state"
    secrets = {path.name: path.read_text().strip() for path in (state / "secrets").iterdir()}
    keys = {path.name: path.read_text().splitlines()[1] for path in (state / "ca").glob("*.key")}
    assert keys.keys() >= {"db1.key", "db2.key"}
    for host in sorted(HOSTS):
        journal = demo.on(host, "journalctl", "--no-pager", "--output=cat")
        assert "Invoked with" in journal
        assert (host, [name for name, secret in {**secrets, **keys}.items() if secret in journal]) == (host, [])


def test_secrets_on_the_controller_are_for_their_owner_alone():
    state = ROOT / ".demo/state"
    private = [*(state / "secrets").iterdir(), *(state / "ca").glob("*.key")]
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def end_workers(*, named: str) -> None:
    """End what a killed run leaves: its workers, each in a session of its own, would wait for it for ever."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if named in (process / "cmdline").read_text():
                os.kill(int(process.name), signal.SIGKILL)


@pytest.mark.parametrize("seconds", [3, 5, 7, 9])
def test_a_run_that_was_killed_is_completed_by_the_next_one(demo, overlay, seconds):
    """Every tier has something to change when the run is killed, so it dies in the middle of work."""
    changes = overlay({}, {"node_exporter_port": 9100, "load_balancer_server_timeout": 20 + seconds})
    command = ["ansible-playbook", "-i", str(INVENTORY), "-i", str(changes), "site.yml"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **quiet)
    try:
        time.sleep(seconds)
        run.send_signal(signal.SIGKILL)
        run.wait()
        completed = demo.site(inventories=[changes])
        assert completed.code == 0, completed.output
        assert changes_nothing(demo.site(inventories=[changes]))
    finally:
        end_workers(named=str(changes))


def test_a_reload_that_a_killed_run_left_out_is_made_up_for(demo):
    """The stamp is what a handler is not: it survives the run."""
    demo.on(
        "lb1",
        "sh",
        "-c",
        'echo \'{"reload": {"/etc/haproxy/haproxy.cfg": "another"}, "restart": {}}\''
        " > /var/lib/webinfra/units/haproxy.service.json",
    )
    started = demo.on("lb1", "systemctl", "show", "--property=ExecMainStartTimestampMonotonic", "haproxy")
    stamp = demo.site("--tags", "load_balancer")
    assert stamp.changed["lb1"] == 1, stamp.output
    assert demo.on("lb1", "systemctl", "show", "--property=ExecMainStartTimestampMonotonic", "haproxy") == started
    assert changes_nothing(demo.site())


REFUSALS = {
    "misspelt variable": ({}, {"load_balancer_provder": "nginx"}, "load_balancer_provider"),
    "misspelt host variable": ({"web1": {"wieght": 3}}, {}, "weight"),
    "unknown provider": ({}, {"load_balancer_provider": "apache"}, "haproxy"),
    "unknown engine": ({}, {"database_engine": "postgresql"}, "mariadb"),
    "all weights 0": ({"web1": {"weight": 0}, "web2": {"weight": 0}}, {}, "weight"),
    "every server a backup": ({"web1": {"backup": True}, "web2": {"backup": True}}, {}, "backup"),
    "two hosts with one address": ({"web2": {"internal_address": "10.213.80.21"}}, {}, "10.213.80.21"),
    "unreachable host": ({"web2": {"ansible_host": "10.213.80.99", "ansible_ssh_timeout": 2}}, {}, "web2"),
    "missing secret": ({}, {"webinfra_app_password": ""}, "password"),
    "weight that is no number": ({"web1": {"weight": "many"}}, {}, "weight"),
}


@pytest.mark.parametrize(("hosts", "variables", "word"), REFUSALS.values(), ids=REFUSALS.keys())
def test_bad_input_stops_before_anything_is_changed(demo, overlay, hosts, variables, word):
    play = demo.site(inventories=[overlay(hosts, variables)])
    assert play.code != 0, play.output
    assert word in play.output
    assert not any(play.changed.values()), play.output
    assert "Prepare every host" not in play.output


def test_an_inventory_without_web_servers_is_refused(demo, tmp_path):
    inventory = tmp_path / "inventory.yml"
    lines = INVENTORY.read_text()
    start, end = lines.index("    web_servers:"), lines.index("    db_servers:")
    inventory.write_text(lines[:start] + "    web_servers:\n      hosts: {}\n" + lines[end:])
    done = subprocess.run(
        ["ansible-playbook", "-i", str(inventory), "site.yml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "web_servers" in done.stdout
    assert "Prepare every host" not in done.stdout
