# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.certificate import (
    validity_of_file,
    validity_of_words,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import RefusedError

# Made by openssl, which said of them what stands beside them.
PEM = """\
-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIUC5QRxxX/0PAld4h63hdwjyi9LcowCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDZGIxMB4XDTI2MTEyNDE3NTMyNloXDTI2MTEyNzE3NTMyNlow
DjEMMAoGA1UEAwwDZGIxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvBu2CLcu
wA+JWhQsxe8CtcM7WuU0TBzni/pxeD63IW3QfEjYanLPtj+0l0b4IKiHvL5/ov9I
hYsITCThgo3gI6NTMFEwHQYDVR0OBBYEFB7gvXB79P85/xQJxTScqLRdy7nkMB8G
A1UdIwQYMBaAFB7gvXB79P85/xQJxTScqLRdy7nkMA8GA1UdEwEB/wQFMAMBAf8w
CgYIKoZIzj0EAwIDSAAwRQIhAPYksQK/CXrbFJiSoBXth0TauXyfhNhtrgERUl7n
cy6DAiBbP+Xbth7BAeOYNmA1Kr3GoMzYQNO8QCyPe8NqTTYQ7g==
-----END CERTIFICATE-----
"""
SHORT = ("Nov 24 17:53:26 2026 GMT", "Nov 27 17:53:26 2026 GMT")
BEYOND_2049 = """\
-----BEGIN CERTIFICATE-----
MIIBcjCCARmgAwIBAgIUb35PS/7otDXHWTquNLyLOVQfeJQwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDZGIxMCAXDTI2MTEyNDE3NTMyNloYDzIwNTQwNDExMTc1MzI2
WjAOMQwwCgYDVQQDDANkYjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT6gFe3
PINwHhDLk8qGt/z738hGM9V8J/NwRLgNmC1ENMxyidg+B4uuCOwRcR/YhC/L9rqv
PN2t4lN0e3xHFVtIo1MwUTAdBgNVHQ4EFgQUPBzpfgB4e3JFFJlJoug/2GEmyRIw
HwYDVR0jBBgwFoAUPBzpfgB4e3JFFJlJoug/2GEmyRIwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNHADBEAiA7Sq7GgDaT+2JRK/KtgkgRrXQXEXjGHYds9AJo
cC1iZAIgEjj8JhhgwUFDDpj4pj+UWuwUEgWXSwCmBSE/ksQ7HQk=
-----END CERTIFICATE-----
"""
LONG = ("Nov 24 17:53:26 2026 GMT", "Apr 11 17:53:26 2054 GMT")


@pytest.mark.parametrize(("pem", "words"), [(PEM, SHORT), (BEYOND_2049, LONG)], ids=["short", "until after 2049"])
def test_a_file_and_a_server_speak_of_the_same_time(pem: str, words: tuple[str, str]) -> None:
    assert validity_of_file(pem) == validity_of_words(*words)


def test_a_chain_is_read_as_its_first_certificate() -> None:
    assert validity_of_file("words before\n" + PEM + BEYOND_2049) == validity_of_file(PEM)


@pytest.mark.parametrize("words", [(None, None), ("", ""), (SHORT[0], None)])
def test_a_server_without_tls_shows_no_certificate(words: tuple[str | None, str | None]) -> None:
    assert validity_of_words(*words) is None


@pytest.mark.parametrize(
    "pem",
    ["", "no certificate", PEM.replace("MII", "AAA"), PEM[: len(PEM) // 2]],
    ids=["empty", "words", "no sequence", "cut off"],
)
def test_what_is_no_certificate_is_refused(pem: str) -> None:
    with pytest.raises(RefusedError, match="cannot be read"):
        validity_of_file(pem)
