# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.webinfra.stack.plugins.modules.host_survey import end_of

PEM = """\
-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIUPMvawEQdQye6kQ0GWVvp733qKGQwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAeFw0yNjExMjcxNTEwMzhaFw0zNjExMjQxNTEwMzhaMAwx
CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT9kBSIeXSeXsDY
QawcSNwtOyq3/9zHqwdNeyXLZjrATA7NgN8lN9LS0CwxPCxmkaq4doErtHP+OGe+
zoYsOmw9o1MwUTAdBgNVHQ4EFgQUtjKDXi1uyAgSeELGnKtrMvIZb8YwHwYDVR0j
BBgwFoAUtjKDXi1uyAgSeELGnKtrMvIZb8YwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiEAyfSt2micEPynzkdYHJolJgDAUXIdOzqf4UrbmM5AhW0C
IC4+NflqplE+iGBeW3r6b4vBzJi+qQBe2mN5G/CvVvBZ
-----END CERTIFICATE-----
"""
END = 2111152238
"""What openssl says of it."""


def test_the_end_of_a_certificate_is_read(tmp_path):
    path = tmp_path / "fullchain.pem"
    path.write_text(PEM)
    assert end_of(str(path)) == END


def test_a_certificate_that_is_being_written_has_no_end_yet(tmp_path):
    path = tmp_path / "fullchain.pem"
    path.write_text(PEM[:100])
    assert end_of(str(path)) is None


def test_a_certificate_that_is_not_there_has_no_end(tmp_path):
    assert end_of(str(tmp_path / "nowhere.pem")) is None
    assert end_of(str(tmp_path)) is None
