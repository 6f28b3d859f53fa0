# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""From when until when a certificate is valid: the little of X.509 that tells a renewed one from the one before."""

from __future__ import annotations

import datetime as dt
import ssl

from .errors import RefusedError

_SEQUENCE, _VERSION, _SHORT_TIME = 0x30, 0xA0, 0x17
_LONG_LENGTH = 0x80
_END = "-----END CERTIFICATE-----"

Validity = tuple[int, int]


def validity_of_file(pem: str) -> Validity:
    """Read the first certificate of a PEM file, the server's own, in seconds since 1970."""
    try:
        der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE-----") : pem.index(_END) + len(_END)])
        tag, start, _end = _element(der, _element(der, 0)[1])
        fields = _children(der, start, _end)
        validity = fields[4] if fields[0][0] == _VERSION else fields[3]
        begin, end = (_seconds(der, *part) for part in _children(der, validity[1], validity[2]))
    except (ValueError, IndexError, KeyError) as exc:
        raise RefusedError(
            f"The certificate cannot be read: {exc}. Write a PEM file with the server's own first"
        ) from exc
    if tag != _SEQUENCE:
        raise RefusedError("The certificate cannot be read: it is no X.509. Write a PEM file")
    return begin, end


def validity_of_words(begin: str | None, end: str | None) -> Validity | None:
    """Read what a server says of the certificate it shows; nothing when it shows none."""
    if not begin or not end:
        return None
    return int(ssl.cert_time_to_seconds(begin)), int(ssl.cert_time_to_seconds(end))


def _element(der: bytes, offset: int) -> tuple[int, int, int]:
    """Return the tag of an element and where its content begins and ends."""
    tag, length, start = der[offset], der[offset + 1], offset + 2
    if length & _LONG_LENGTH:
        size = length & ~_LONG_LENGTH
        length, start = int.from_bytes(der[start : start + size], "big"), start + size
    return tag, start, start + length


def _children(der: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    found = []
    while start < end:
        found.append(_element(der, start))
        start = found[-1][2]
    return found


def _seconds(der: bytes, tag: int, start: int, end: int) -> int:
    digits = der[start:end].decode("ascii").rstrip("Z")
    if tag == _SHORT_TIME:  # two digits of the year, up to 2049
        digits = ("20" if digits < "50" else "19") + digits
    month, day, hour, minute, second = (int(digits[place : place + 2]) for place in range(4, 14, 2))
    return int(dt.datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=dt.timezone.utc).timestamp())


__all__ = ("Validity", "validity_of_file", "validity_of_words")
