# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.webinfra.stack.plugins.plugin_utils.tls_check import check_tls

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.timezone.utc)


def issued(*names, days=90):
    """Return a certificate and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - dt.timedelta(days=1000))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return text, key.private_bytes(*form, serialization.NoEncryption()).decode()


CERTIFICATE, KEY = issued("www.example.com", "*.shop.example.com")


def found(mode, names=("www.example.com",), certificate="", private_key=""):
    settings = {"mode": mode, "names": list(names), "certificate": certificate, "private_key": private_key}
    return [finding.what for finding in check_tls(settings, now=NOW.timestamp())]


@pytest.mark.parametrize(
    ("mode", "names", "pair"),
    [
        ("none", [], ("", "")),
        ("internal", ["intranet", "*.example.com"], ("", "")),
        ("acme", ["www.example.com", "example.com"], ("", "")),
        ("provided", ["WWW.example.com", "a.shop.example.com"], (CERTIFICATE, KEY)),
        ("a mode that the variable does not have", [], ("", "")),
    ],
    ids=["none", "internal", "acme", "provided", "told elsewhere"],
)
def test_what_fits_has_no_findings(mode, names, pair):
    assert found(mode, names, *pair) == []


@pytest.mark.parametrize("mode", ["internal", "provided", "acme"])
def test_without_a_name_nobody_can_be_answered(mode):
    assert found(mode, []) == [f"webinfra_tls_mode is {mode}, and webinfra_tls_names has no name"]


@pytest.mark.parametrize("name", ["a b", "10.20.0.11", "2001:db8::1", "x;reload", "$(id).example", "", "a" * 64])
def test_what_is_no_name_of_a_host_is_told(name):
    assert found("internal", [name]) == [f"webinfra_tls_names: {name!r} is not the name of a host"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("*.example.com", "no authority issues '*.example.com' for an answer over HTTP"),
        ("intranet", "'intranet' has no domain, and no authority can reach it"),
    ],
)
def test_names_that_no_authority_issues_are_told(name, what):
    assert found("acme", [name]) == [f"webinfra_tls_names: {what}"]


def test_what_is_missing_of_a_pair_is_told():
    assert found("provided") == [
        "webinfra_tls_mode is provided, and webinfra_tls_certificate is not set",
        "webinfra_tls_mode is provided, and webinfra_tls_private_key is not set",
    ]


def test_texts_that_are_no_pem_are_told_without_being_shown():
    assert found("provided", certificate="x", private_key=KEY) == [
        "webinfra_tls_certificate is not a certificate in PEM"
    ]
    told = ["webinfra_tls_private_key is not a private key in PEM, or it is encrypted"]
    assert found("provided", certificate=CERTIFICATE, private_key="secret") == told


def test_a_key_of_another_certificate_is_told():
    told = ["webinfra_tls_certificate and webinfra_tls_private_key do not belong together"]
    assert found("provided", certificate=CERTIFICATE, private_key=issued("x.example")[1]) == told


def test_a_certificate_that_is_over_is_told():
    certificate, key = issued("www.example.com", days=-1)
    assert found("provided", certificate=certificate, private_key=key) == [
        "webinfra_tls_certificate ended on 2026-05-31"
    ]


@pytest.mark.parametrize("name", ["example.com", "a.b.shop.example.com", "shop.example.com"])
def test_a_name_that_is_not_in_the_certificate_is_told(name):
    told = [f"webinfra_tls_certificate is not for {name}"]
    assert found("provided", ["www.example.com", name], CERTIFICATE, KEY) == told
