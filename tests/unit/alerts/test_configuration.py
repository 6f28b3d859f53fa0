# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role monitoring writes is taken by those who read it, whatever it was given."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from .tools import AMTOOL, PROMTOOL, ROOT, needs_tools

ROLE = ROOT / "roles" / "monitoring"
TEMPLATES = {
    "prometheus.yml": "configuration.yml.j2",
    "alertmanager.yml": "alertmanager.yml.j2",
    "blackbox.yml": "blackbox.yml.j2",
}
AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
EVERYTHING = {
    "monitoring_targets": [
        {"job": "node", "host": "web1", "tier": "web_servers", "address": "10.20.0.21", "port": 9100},
        {"job": "node", "host": "web2", "tier": "web_servers", "address": "2001:db8::22", "port": 9100},
    ],
    "monitoring_urls": [
        {"url": "http://10.20.0.11"},
        {"url": "https://www.example.com:8443/healthz", "address": "2001:db8::11", "ca_bundle": AUTHORITY},
        {"url": "https://staging.example.com", "address": "10.20.0.12", "validate_certs": False},
    ],
    "monitoring_servers": [{"host": "web1", "tier": "web_servers", "url": "http://10.20.0.21:8000/healthz"}],
    "monitoring_mail": {
        "to": ["ops@example.com", '"night shift" <night@example.com>'],
        "from": "alerts@example.com",
        "smarthost": "mail.example.com:587",
        "username": "alerts",
        "password": "a\"b'c: {{ '{{' }} d #e \\",
    },
    "monitoring_webhooks": [{"url": "https://chat.example.com/hooks/1?a=b&c=d", "token": 'to"ken: #1'}],
}


def written(folder, given):
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": [str(ROLE / "defaults" / "main.yml"), str(ROLE / "vars" / "main.yml")],
        "tasks": [
            {
                "ansible.builtin.template": {"src": str(ROLE / "templates" / source), "dest": str(folder / name)},
                "vars": {"ansible_python_interpreter": sys.executable},
            }
            for name, source in TEMPLATES.items()
        ],
    }
    (folder / "given.yml").write_text(yaml.safe_dump(given))
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    command = ["ansible-playbook", "-i", "localhost,", "-e", f"@{folder / 'given.yml'}", folder / "play.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return written(tmp_path_factory.mktemp("monitoring"), EVERYTHING)


def read(files, name):
    return yaml.safe_load((files / name).read_text())


@needs_tools
def test_prometheus_and_alertmanager_take_what_is_written_for_them(files):
    judges = {"prometheus.yml": (PROMTOOL, "check", "config"), "alertmanager.yml": (AMTOOL, "check-config")}
    for name, command in judges.items():
        done = subprocess.run([*command, files / name], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_url_is_asked_where_it_leads_unless_an_address_is_given(files):
    (job,) = [each for each in read(files, "prometheus.yml")["scrape_configs"] if each["job_name"] == "url"]
    assert [each["targets"] for each in job["static_configs"]] == [
        ["http://10.20.0.11"],
        ["https://[2001:db8::11]:8443/healthz"],
        ["https://10.20.0.12"],
    ]
    assert [each["labels"]["instance"] for each in job["static_configs"]] == [
        each["url"] for each in EVERYTHING["monitoring_urls"]
    ]


def test_a_certificate_is_held_against_the_name_and_the_authority_that_were_given(files):
    modules = read(files, "blackbox.yml")["modules"]
    assert modules["url_1"]["http"] == {
        "preferred_ip_protocol": "ip4",
        "tls_config": {"server_name": "10.20.0.11", "insecure_skip_verify": False},
    }
    assert modules["url_2"]["http"] == {
        "preferred_ip_protocol": "ip4",
        "headers": {"Host": "www.example.com:8443"},
        "tls_config": {
            "server_name": "www.example.com",
            "insecure_skip_verify": False,
            "ca_file": "/etc/prometheus/webinfra_url_2.pem",
        },
    }
    assert modules["url_3"]["http"]["tls_config"]["insecure_skip_verify"] is True


def test_every_module_that_is_asked_for_is_there(files):
    jobs = read(files, "prometheus.yml")["scrape_configs"]
    asked = {
        static["labels"].get("__param_module") for job in jobs for static in job["static_configs"] if "labels" in static
    }
    assert asked - {None} == read(files, "blackbox.yml")["modules"].keys()


def test_what_people_write_arrives_literally(files):
    (receiver,) = read(files, "alertmanager.yml")["receivers"]
    assert [each["to"] for each in receiver["email_configs"]] == EVERYTHING["monitoring_mail"]["to"]
    assert receiver["email_configs"][0]["auth_password"] == "a\"b'c: {{ d #e \\"
    assert receiver["webhook_configs"][0]["http_config"]["authorization"]["credentials"] == 'to"ken: #1'
