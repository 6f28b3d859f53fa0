# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.webinfra.stack.plugins.plugin_utils.balancer_check import VARIABLES, check_balancer

ROLE = Path(__file__).resolve().parents[3] / "roles" / "load_balancer"
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
WWW = {"names": ["www.example.com"], "certificate": "/etc/x/www.pem", "private_key": "/etc/x/www.key"}


def found(*, backups=(), **given):
    settings = {f"load_balancer_{name}": value for name, value in given.items()}
    return [finding.what for finding in check_balancer("lb1", OPTIONS, settings, backups)]


def test_every_variable_is_one_of_the_role():
    assert set(VARIABLES) <= OPTIONS.keys()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"certificates": [WWW], "https_redirect_enabled": "yes", "hsts_seconds": "63072000"},
        {"provider": "nginx", "algorithm": "cookie"},
        {"provider": "haproxy", "algorithm": "cookie", "backups": ["web2"]},
        {"provider": "nginx", "backups": ["web2"]},
        {"port": 8080, "https_port": 8443},
        {
            "response_headers": {
                "Content-Security-Policy": "default-src 'self'; img-src https: data: *.example.com/?a=b"
            }
        },
    ],
    ids=[
        "nothing",
        "HTTPS",
        "nginx and a cookie",
        "HAProxy, a cookie, a backup",
        "nginx and a backup",
        "other ports",
        "a policy",
    ],
)
def test_what_fits_has_no_findings(given):
    assert found(**given) == []


def test_https_without_a_certificate_is_told():
    assert found(https_redirect_enabled=True) == [
        "load_balancer_https_redirect_enabled is True, and without a certificate there is no HTTPS"
    ]
    assert found(hsts_seconds=60) == ["load_balancer_hsts_seconds is 60, and without a certificate there is no HTTPS"]


def test_a_certificate_that_cannot_be_used_is_told():
    assert found(certificates=[{**WWW, "names": ["a b"]}]) == [
        "load_balancer_certificates: certificate 1: 'a b' is not the name of a host"
    ]


def test_two_ports_that_are_one_are_told():
    assert found(port=443) == ["load_balancer_port and load_balancer_https_port are both 443"]


@pytest.mark.parametrize("algorithm", ["source", "cookie"])
def test_what_nginx_cannot_do_is_told(algorithm):
    assert found(provider="nginx", algorithm=algorithm, backups=["web2"]) == [
        f"nginx cannot have backup servers (web2) with load_balancer_algorithm {algorithm}"
    ]


def test_a_cookie_that_no_variable_of_nginx_could_be_named_after_is_told():
    assert found(cookie_name="my-cookie") == [
        "load_balancer_cookie_name 'my-cookie' is not made of letters, digits and underscores"
    ]


@pytest.mark.parametrize("value", ['a"b', "$(reboot)", "%[src]", "back\\slash", "", "two\nlines", "größe", "a\tb"])
def test_a_header_that_could_be_more_than_a_header_is_refused(value):
    (what,) = found(response_headers={"X-Ours": value})
    assert what.startswith("load_balancer_response_headers: the value of X-Ours")


@pytest.mark.parametrize("name", ["X Ours", "X:Ours", "", "X_Ours", "{{ x }}"])
def test_a_header_with_another_name_than_a_header_has_is_refused(name):
    (what,) = found(response_headers={name: "here"})
    assert what.endswith("is not made of letters, digits and dashes")


@pytest.mark.parametrize(
    "given", [{"certificates": "x"}, {"certificates": [{"names": ["a"]}], "hsts_seconds": 1}], ids=["text", "half"]
)
def test_what_is_wrong_by_itself_is_left_to_who_tells_it(given):
    assert found(**given) == []
