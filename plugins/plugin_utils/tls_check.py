# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with how clients shall be answered over TLS, found before anything is changed."""

from __future__ import annotations

import ipaddress
import time
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.certificates import Certificate
from ansible_collections.webinfra.stack.plugins.module_utils._replication.certificate import validity_of_file
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import RefusedError
from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Finding

MODE, NAMES = "webinfra_tls_mode", "webinfra_tls_names"
CERTIFICATE, PRIVATE_KEY = "webinfra_tls_certificate", "webinfra_tls_private_key"
NONE, INTERNAL, PROVIDED, ACME = MODES = ("none", "internal", "provided", "acme")


def check_tls(settings: t.Mapping[str, t.Any], *, now: float | None = None) -> list[Finding]:
    """Find what keeps clients from being answered; ``settings`` has mode, names, certificate and private_key."""
    mode, names = settings["mode"], [str(name).lower() for name in settings["names"]]
    if mode not in MODES or mode == NONE:
        return []  # a mode that is none is told with the variable
    complaints = [*_of_names(mode, names)]
    if mode == PROVIDED and not complaints:
        complaints += _of_pair(
            settings["certificate"], settings["private_key"], names, time.time() if now is None else now
        )
    return [Finding(where="load_balancers", what=what, remedy=remedy) for what, remedy in complaints]


def _of_names(mode: str, names: t.Sequence[str]) -> t.Iterator[tuple[str, str]]:
    if not names:
        yield f"{MODE} is {mode}, and {NAMES} has no name", f"write for example {NAMES}: [www.example.com]"
    for name in dict.fromkeys(names):
        if _is_address(name) or Certificate(names=(name,), certificate="/x", private_key="/x").complaints():
            yield f"{NAMES}: {name!r} is not the name of a host", "give the names under which clients ask"
        elif mode == ACME and name.startswith("*."):
            what = f"{NAMES}: no authority issues {name!r} for an answer over HTTP"
            yield what, "give the names one by one, or provide a certificate (webinfra_tls_mode: provided)"
        elif mode == ACME and "." not in name:
            what = f"{NAMES}: {name!r} has no domain, and no authority can reach it"
            yield what, f"write for example {NAMES}: [www.example.com]"


def _of_pair(certificate: str, private_key: str, names: t.Sequence[str], now: float) -> t.Iterator[tuple[str, str]]:
    for variable, text in ((CERTIFICATE, certificate), (PRIVATE_KEY, private_key)):
        if not text:
            yield f"{MODE} is provided, and {variable} is not set", f"give {variable} the text of the PEM file"
    if not certificate or not private_key:
        return
    try:
        leaf = x509.load_pem_x509_certificate(certificate.encode())
        _begins, ends = validity_of_file(certificate)
    except (ValueError, RefusedError):
        yield f"{CERTIFICATE} is not a certificate in PEM", "give it the text of the file, the server's own first"
        return
    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        what = f"{PRIVATE_KEY} is not a private key in PEM, or it is encrypted"
        yield what, "give it the text of the file, decrypted, from a vault"
        return
    if _public(key.public_key()) != _public(leaf.public_key()):
        yield f"{CERTIFICATE} and {PRIVATE_KEY} do not belong together", "give both of the same certificate"
    if ends <= now:
        yield f"{CERTIFICATE} ended on {time.strftime('%Y-%m-%d', time.gmtime(ends))}", "give one that is valid"
    missing = [name for name in names if not _covered(name, _names_in(leaf))]
    if missing:
        what = f"{CERTIFICATE} is not for {' and '.join(missing)}"
        yield what, f"give a certificate for all names, or take them out of {NAMES}"


def _names_in(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in found.value.get_values_for_type(x509.DNSName)]


def _covered(name: str, patterns: t.Sequence[str]) -> bool:
    """Tell whether a certificate is for a name; rule: RFC 9525, section 6.3, an asterisk is one label."""
    return name in patterns or f"*.{name.partition('.')[2]}" in patterns


def _public(key: t.Any) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_bytes(encoding, form))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


__all__ = ("MODES", "check_tls")
