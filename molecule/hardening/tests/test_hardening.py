# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys alone get in, guessers are shut out, updates come at night; who runs Ansible stays in."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import Scenario
from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.play import ROOT

CONVERGE = str(Path(__file__).parents[1] / "converge.yml")
HOSTS = ("host1", "host2")
PARAMETERS = ROOT / "roles" / "hardening" / "templates" / "sysctl.conf.j2"
eventually = functools.partial(waiting.eventually, seconds=30)
every_host = pytest.mark.parametrize("name", HOSTS)


@pytest.fixture(scope="session")
def scenario():
    return Scenario()


def told(play):
    return " ".join(play.output.split())


def converge(scenario, *options, **given):
    return scenario.play(CONVERGE, "-e", json.dumps(given), *options)


def other(name):
    return next(host for host in HOSTS if host != name)


def knock(scenario, name, user="root"):
    """Try to log in from the other host, without a key; return what the client says."""
    options = "-o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    return scenario.host(other(name)).run(f"ssh {options} {user}@{scenario.address(name)} true || :").stderr


@every_host
def test_keys_alone_get_in(scenario, name):
    assert "Permission denied (publickey)." in knock(scenario, name)


@every_host
def test_what_is_written_is_what_counts(scenario, name):
    settings = scenario.host(name).check_output("sshd -T").splitlines()
    wanted = {"passwordauthentication no", "permitrootlogin without-password", "x11forwarding no", "logingracetime 30"}
    assert wanted <= set(settings)


@every_host
def test_who_guesses_is_shut_out_and_nobody_else(scenario, name):
    guard = scenario.host(name)
    guard.check_output("fail2ban-client unban --all")
    assert scenario.can_reach(other(name), name, 22)
    for number in range(5):
        knock(scenario, name, user=f"guess{number}")
    eventually(lambda: not scenario.can_reach(other(name), name, 22))
    assert scenario.address(other(name)) in guard.check_output("fail2ban-client get sshd banip")
    guard.check_output("fail2ban-client unban --all")
    eventually(lambda: scenario.can_reach(other(name), name, 22))


@every_host
def test_who_runs_ansible_is_never_shut_out(scenario, name):
    assert "10.213.95.1" in scenario.host(name).check_output("fail2ban-client get sshd ignoreip")


@every_host
def test_security_updates_come_every_night_but_for_what_is_left_to_people(scenario, name):
    host = scenario.host(name)
    settings = host.check_output("apt-config dump")
    assert 'APT::Periodic::Unattended-Upgrade "1";' in settings
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        assert (host.service(timer).is_enabled, host.service(timer).is_running) == (True, True)
    said = host.check_output("unattended-upgrade --dry-run --debug 2>&1")
    assert "Initial blacklist: mariadb-" in said
    assert "origin=Debian" in said


@every_host
def test_the_journal_is_kept_and_limited(scenario, name):
    host = scenario.host(name)
    assert "SystemMaxUse=1024M" in host.check_output("systemd-analyze cat-config systemd/journald.conf")
    assert host.check_output("ls /var/log/journal") == host.check_output("cat /etc/machine-id")


@every_host
def test_the_kernel_knows_every_parameter(scenario, name):
    names = [line.split(" = ")[0] for line in PARAMETERS.read_text().splitlines() if " = " in line]
    assert len(names) > 10
    for parameter in names:
        # Without IPv6 in the kernel systemd-sysctl leaves those out.
        if not parameter.startswith("net.ipv6."):
            assert scenario.host(name).file(f"/proc/sys/{parameter.replace('.', '/')}").exists, parameter


def test_who_logs_in_with_a_password_is_not_shut_out(scenario):
    play = converge(scenario, scenario_packages_known=True, ansible_password="a-password")
    assert play.code != 0
    assert "give it a key, or say hardening_ssh_enabled: false" in told(play)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hardening_bans_spared": ["10.0.0.1\nbantime = 1s"]}, "neither an IP address nor a network"),
        ({"hardening_upgrades_excluded": ['x"; Unattended-Upgrade::Mail "a']}, "in no name of a package"),
        ({"hardening_ssh_root": "perhaps"}, "hardening_ssh_root"),
    ],
    ids=["address", "package", "choice"],
)
def test_bad_input_is_refused_and_nothing_is_changed(scenario, given, words):
    play = converge(scenario, **given)
    assert play.code != 0
    assert words in told(play)
    assert not any(play.changed.values())


@pytest.mark.parametrize("options", [(), ("--check", "--diff")], ids=["run", "check"])
def test_another_run_changes_nothing(scenario, options):
    again = converge(scenario, *options)
    assert (again.code, sum(again.changed.values())) == (0, 0), again.output
