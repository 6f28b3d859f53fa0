# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._replication.passwords import (
    caching_sha2_matches,
    native_hash,
    native_matches,
    sha256_crypt,
)

# Captured from MySQL 9.7 and MariaDB 11.8 after CREATE USER with this password.
PASSWORD = "A'b\"\\%s`"
CACHING_SHA2 = bytes.fromhex(
    "24412430304124704C411D671D4A07197C317D052D0F48422555104F5847736230474453566164314834722F6F4A5875316A494458515530"
    "684772644C6B76735172376B2E35"
)
NATIVE = b"*13519149A02D561847AC1E0ACCBC116A429CABA1"


def test_a_stored_caching_sha2_password_is_recognised() -> None:
    assert caching_sha2_matches(CACHING_SHA2, PASSWORD)


def test_a_stored_native_password_is_recognised() -> None:
    assert native_matches(NATIVE, PASSWORD)
    assert native_hash(PASSWORD).encode() == NATIVE


@pytest.mark.parametrize("password", ["", "A'b", PASSWORD + " ", PASSWORD.lower()])
def test_another_password_does_not_match(password: str) -> None:
    assert not caching_sha2_matches(CACHING_SHA2, password)
    assert not native_matches(NATIVE, password)


def test_an_account_without_a_password_matches_only_no_password() -> None:
    assert caching_sha2_matches(b"", "")
    assert native_matches(b"", "")
    assert not caching_sha2_matches(b"", "x")
    assert not native_matches(b"", "x")


def test_another_hash_format_does_not_match() -> None:
    assert not caching_sha2_matches(NATIVE, PASSWORD)


# What crypt(3) of the C library returns for $5$saltstring$ with its 5000 rounds.
def test_the_digest_is_the_one_of_the_c_library() -> None:
    digest = sha256_crypt(b"Hello world!", b"saltstring", 5000)
    assert digest == "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"


@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, 65])
def test_the_digest_depends_on_every_character_of_the_password(length: int) -> None:
    salt = b"0123456789abcdefghij"
    assert sha256_crypt(b"x" * length, salt, 1000) != sha256_crypt(b"x" * (length - 1) + b"y", salt, 1000)
