# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Ask a web address as a client would, each time on a connection of its own.

Not by open_url of ansible.module_utils: that loads the system's authorities anew for each request, and asking forty
times would take seconds.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import typing as t
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

OK = 200


class AskingFailedError(Exception):
    """A request was not answered as it should."""


class NoWebAddressError(Exception):
    """A text is not a web address, or not one that can be asked as told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAnswer:
    headers: t.Mapping[str, str]
    """Names in lower case."""
    milliseconds: float


class WebClient:
    """A client of one address. It follows no redirection and uses no proxy."""

    def __init__(
        self,
        url: str,
        *,
        headers: t.Mapping[str, str],
        timeout: float,
        validate_certs: bool,
        ca_file: str | None,
        address: str | None = None,
    ) -> None:
        self._address = _address(url)
        self._place = address
        self._headers = {"Connection": "close", **headers}
        self._timeout = timeout
        self._encryption = _encryption(validate_certs, ca_file) if self._address.scheme == "https" else None

    def ask(self) -> WebAnswer:
        """Send one GET and read its answer; anything but 200 is a failure."""
        begin = time.monotonic()
        try:
            connection = self._connection()
        except OSError as exc:
            raise AskingFailedError(f"not answered: {str(exc) or type(exc).__name__}") from exc
        try:
            connection.request("GET", self._target(), headers=self._headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as exc:
            raise AskingFailedError(f"not answered: {str(exc) or type(exc).__name__}") from exc
        finally:
            connection.close()
        if response.status != OK:
            raise AskingFailedError(f"answered {response.status} {response.reason}")
        return WebAnswer(
            headers={name.lower(): value for name, value in response.getheaders()},
            milliseconds=(time.monotonic() - begin) * 1000,
        )

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._encryption is None:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._encryption)
        if self._place:
            connection.sock = self._connected(self._place, connection.port)
        return connection

    def _connected(self, address: str, port: int) -> socket.socket:
        """Connect to the address, and not to what the name resolves to; the certificate is held against the name."""
        plain = socket.create_connection((address, port), timeout=self._timeout)
        if self._encryption is None:
            return plain
        try:
            return self._encryption.wrap_socket(plain, server_hostname=self._address.hostname)
        except OSError:
            plain.close()
            raise

    def _target(self) -> str:
        path = self._address.path or "/"
        return f"{path}?{self._address.query}" if self._address.query else path


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        usable = address.scheme in {"http", "https"} and address.hostname and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise NoWebAddressError(f"{url!r} is not a web address; write for example http://127.0.0.1:8080/healthz")
    return address


def _encryption(validate_certs: bool, ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as exc:
        raise NoWebAddressError(f"the file with the authorities {ca_file} cannot be used: {exc}") from exc
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


__all__ = ("AskingFailedError", "NoWebAddressError", "WebAnswer", "WebClient")
