# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._reporting.program import main
from ansible_collections.webinfra.stack.plugins.module_utils._reporting.settings import SettingsError, read_settings
from ansible_collections.webinfra.stack.plugins.plugin_utils.room_program import room_program

PASSWORD = "not to be shown"
SETTINGS = {
    "name": "db1",
    "directory": "/nowhere",
    "addresses": [],
    "servers": [],
    "unix_socket": "/nowhere/mysqld.sock",
    "local_user": "root",
    "operator_user": "operator",
    "operator_password": PASSWORD,
    "ca_file": "/ca.pem",
    "max_lag": 30,
    "max_heartbeat_age": 5,
    "longest_outage_hours": 72,
    "heartbeat_schema": "webinfra",
}
SERVERS = [{"name": "db1", "host": "127.0.0.1", "port": 1}, {"name": "db2", "host": "127.0.0.1", "port": 1}]


@pytest.fixture
def file(tmp_path):
    def written(**changes):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({**SETTINGS, "directory": str(tmp_path), **changes}))
        return str(path)

    return written


def test_the_own_server_is_met_by_its_socket_and_the_others_over_tls(file):
    own, other = (target.login for target in read_settings(file(servers=SERVERS)).targets)
    assert (own.host, own.unix_socket, own.user, own.password) == (None, "/nowhere/mysqld.sock", "root", "")
    assert (other.host, other.ca_file, other.user, other.password) == ("127.0.0.1", "/ca.pem", "operator", PASSWORD)


@pytest.mark.parametrize(("servers", "required"), [(SERVERS, True), (SERVERS[:1], False)], ids=["two", "one"])
def test_commits_are_to_wait_where_there_is_somebody_to_wait_for(file, servers, required):
    assert read_settings(file(servers=servers)).policy.semi_sync_required is required


def test_a_file_that_cannot_be_used_is_named_without_its_secret(file):
    path = file(servers=[{"name": "db1"}])
    with pytest.raises(SettingsError, match="let the role host_report write it anew") as caught:
        read_settings(path)
    assert PASSWORD not in str(caught.value)


def test_a_host_without_a_database_tells_of_itself_alone(file, tmp_path):
    assert main([file()]) == 0
    assert "webinfra_host_report_timestamp_seconds" in (tmp_path / "host.prom").read_text()
    assert not (tmp_path / "replication.prom").exists()


def test_servers_that_cannot_be_asked_are_told_as_that(file, tmp_path):
    assert main([file(servers=SERVERS)]) == 0
    text = (tmp_path / "replication.prom").read_text()
    assert 'webinfra_replication_server_up{server="db2"} 0\n' in text
    assert 'webinfra_replication_finding{name="no_primary"} 1\n' in text


def test_a_directory_that_is_not_there_is_told(file, capsys):
    assert main([file(directory="/nowhere/at/all")]) == 1
    assert "/nowhere/at/all" in capsys.readouterr().err


def test_the_packed_program_runs_without_ansible(file, tmp_path):
    program = tmp_path / "program.pyz"
    program.write_bytes(room_program("_reporting"))
    done = subprocess.run([sys.executable, "-I", program, file()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "host.prom").exists()


def test_a_wrong_call_is_told(capsys):
    assert main([]) == 2
    assert "SETTINGS" in capsys.readouterr().err
