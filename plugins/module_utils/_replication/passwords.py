# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The servers' own password hashes, so that a password is compared instead of being set on every run."""

from __future__ import annotations

import functools
import hashlib
import hmac

_ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SALT_LENGTH = 20
_ROUNDS_UNIT = 1000
"""caching_sha2_password stores its rounds in thousands, as three hexadecimal digits."""


def native_hash(password: str) -> str:
    """Return what mysql_native_password stores; nothing for an empty password."""
    if not password:
        return ""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()


def native_matches(stored: bytes, password: str) -> bool:
    """Tell whether a stored mysql_native_password is this one."""
    return hmac.compare_digest(stored.upper(), native_hash(password).encode())


def caching_sha2_matches(stored: bytes, password: str) -> bool:
    """Tell whether a stored caching_sha2_password is this one: C($A$ROUNDS$), 20 bytes of salt, the digest."""
    if not stored or not password:
        return not stored and not password
    head, salt, digest = stored[:7], stored[7 : 7 + _SALT_LENGTH], stored[7 + _SALT_LENGTH :]
    if not head.startswith(b"$A$") or not head.endswith(b"$"):
        return False
    rounds = int(head[3:6], 16) * _ROUNDS_UNIT
    return hmac.compare_digest(digest, sha256_crypt(password.encode(), salt, rounds).encode())


@functools.lru_cache(maxsize=128)  # a plan and its summary ask for the same one, and it is slow on purpose
def sha256_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """Return the digest of SHA-256 crypt (Drepper's specification), without the limit of 16 bytes of salt."""
    alternate = hashlib.sha256(password + salt + password).digest()
    first = hashlib.sha256(password + salt + _stretched(alternate, len(password)))
    bits = len(password)
    while bits:
        first.update(alternate if bits & 1 else password)
        bits >>= 1
    digest = first.digest()
    key = _stretched(hashlib.sha256(password * len(password)).digest(), len(password))
    spice = _stretched(hashlib.sha256(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        current = hashlib.sha256(key if number % 2 else digest)
        if number % 3:
            current.update(spice)
        if number % 7:
            current.update(key)
        current.update(digest if number % 2 else key)
        digest = current.digest()
    return _encoded(digest)


def _stretched(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _encoded(digest: bytes) -> str:
    """Write the bytes in the order that the specification asks for, six bits a character."""
    order = [(0, 10, 20)]
    while len(order) < len(digest) // 3:
        one, two, three = order[-1]
        order.append(((three + 1) % 30, (one + 1) % 30, (two + 1) % 30))
    text = "".join(_characters(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in order)
    return text + _characters(digest[31] << 8 | digest[30], 3)


def _characters(value: int, count: int) -> str:
    return "".join(_ITOA64[value >> (6 * place) & 0x3F] for place in range(count))


__all__ = ("caching_sha2_matches", "native_hash", "native_matches", "sha256_crypt")
