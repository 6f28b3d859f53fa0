# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.certificates import Certificate, complaints

WWW = Certificate(
    names=("www.example.com", "example.com"),
    certificate="/etc/x/www/fullchain.pem",
    private_key="/etc/x/www/privkey.pem",
)


def test_names_are_compared_without_regard_to_case():
    options = {"names": ["WWW.Example.com"], "certificate": "/a", "private_key": "/b"}
    assert Certificate.from_options(options).names == ("www.example.com",)


@pytest.mark.parametrize("name", ["example.com", "*.example.com", "localhost", "xn--bcher-kva.example", "10.0.0.1"])
def test_a_name_that_a_certificate_may_have_is_accepted(name):
    assert complaints([replace(WWW, names=(name,))]) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "*",
        "*example.com",
        "www.*.com",
        "bücher.example",
        "a b",
        "-a.example",
        "a..b",
        "a;}",
        "a.example\n",
        "a" * 64,
    ],
)
def test_what_is_no_name_of_a_host_is_told(name):
    assert complaints([replace(WWW, names=(name,))]) == [f"certificate 1: {name!r} is not the name of a host"]


@pytest.mark.parametrize("path", ["fullchain.pem", "/etc/my file", "/etc/x;", "/etc/$x", "/etc/x\n", ""])
def test_a_path_that_could_mean_something_else_in_a_configuration_is_told(path):
    (complaint,) = complaints([replace(WWW, private_key=path)])
    assert complaint.startswith(f"certificate 1: {path!r} is not an absolute path")


def test_a_certificate_without_a_name_is_told():
    assert complaints([replace(WWW, names=())]) == ["certificate 1: it has no names"]


def test_a_name_of_two_certificates_is_told():
    other = replace(WWW, names=("example.com",))
    assert complaints([WWW, other]) == ["certificates 1 and 2 are both for example.com"]
    assert complaints([replace(WWW, names=("a.example", "a.example"))]) == []


def test_haproxy_finds_certificate_and_key_side_by_side():
    path = WWW.haproxy_path
    assert path.startswith("/etc/haproxy/certificates/www.example.com-")
    assert WWW.haproxy_links == {path: "/etc/x/www/fullchain.pem", f"{path}.key": "/etc/x/www/privkey.pem"}


@pytest.mark.parametrize("field", ["certificate", "private_key"])
def test_other_files_have_another_link_so_that_no_link_ever_changes(field):
    assert replace(WWW, **{field: "/etc/x/other.pem"}).haproxy_path != WWW.haproxy_path


def test_an_asterisk_is_not_in_the_name_of_a_file():
    assert "/_.example.com-" in replace(WWW, names=("*.example.com",)).haproxy_path
