# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The way of the data from donor to target: TLS, each side showing a certificate that names its own address.

Python's own TLS and not socat's: socat does not hold the client's certificate against the address that is expected, has
no word for a stream that ended too early, and would be one more package.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import time
import typing as t
from dataclasses import dataclass

from .errors import ChannelError

if t.TYPE_CHECKING:
    import collections.abc as c

_LENGTH = struct.Struct(">I")
_FRAME_BYTES = 1024 * 1024
_LONGEST_NOTE = 64 * 1024
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The files by which a host proves who it is, and whom it believes."""

    ca_file: str
    certificate: str
    key: str


class Channel:
    """One connection: notes, and one stream of bytes with a proper end."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection

    def send_note(self, note: c.Mapping[str, t.Any]) -> None:
        text = json.dumps(note).encode()
        self._send(_LENGTH.pack(len(text)) + text)

    def receive_note(self) -> dict[str, t.Any]:
        (length,) = _LENGTH.unpack(self._receive(_LENGTH.size))
        if length > _LONGEST_NOTE:
            raise ChannelError("The other side does not speak as a seeding does: is another service on this port?")
        note: dict[str, t.Any] = json.loads(self._receive(length))
        return note

    def send_stream(self, source: t.IO[bytes]) -> int:
        """Send everything that can be read; the end is announced by send_note()."""
        total = 0
        while piece := source.read(_FRAME_BYTES):
            self._send(_LENGTH.pack(len(piece)))
            self._send(piece)
            total += len(piece)
        self._send(_LENGTH.pack(0))
        return total

    def receive_stream(self) -> c.Iterator[bytes]:
        """Yield what is sent, until its end: a connection that just breaks off is an error."""
        while True:
            (length,) = _LENGTH.unpack(self._receive(_LENGTH.size))
            if not length:
                return
            if length > _FRAME_BYTES:
                raise ChannelError("The stream from the donor is damaged")
            yield self._receive(length)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()

    def _send(self, piece: bytes) -> None:
        try:
            self._connection.sendall(piece)
        except OSError as exc:
            raise ChannelError(f"The connection broke while sending: {exc}") from exc

    def _receive(self, length: int) -> bytes:
        buffer = bytearray(length)
        view = memoryview(buffer)
        filled = 0
        while filled < length:
            try:
                count = self._connection.recv_into(view[filled:])
            except OSError as exc:
                raise ChannelError(f"The connection broke while receiving: {exc}") from exc
            if not count:
                raise ChannelError("The other side closed the connection before its end")
            filled += count
        return bytes(buffer)


@contextlib.contextmanager
def accepted(
    address: str, port: int, peer: str, identity: Identity, *, wait: float, idle: float
) -> c.Iterator[Channel]:
    """Wait for the one host that may come; others are turned away."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, identity)
    context.verify_mode = ssl.CERT_REQUIRED
    deadline = time.monotonic() + wait
    with _listening(address, port) as listener:
        while True:
            listener.settimeout(max(deadline - time.monotonic(), _PAUSE_SECONDS))
            try:
                raw, (host, *_rest) = listener.accept()
            except TimeoutError:
                raise ChannelError(
                    f"Nobody with a certificate for {peer} came to port {port} within {wait:g} s"
                ) from None
            channel = _welcomed(context, raw, peer, idle) if host == peer else None
            if channel is not None:
                break
            raw.close()
            if time.monotonic() >= deadline:
                raise ChannelError(f"{host} came to port {port}, and not {peer} with its certificate")
    try:
        yield channel
    finally:
        channel.close()


@contextlib.contextmanager
def reached(host: str, port: int, identity: Identity, *, wait: float, idle: float) -> c.Iterator[Channel]:
    """Reach the donor, which may not be listening yet."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, identity)
    deadline = time.monotonic() + wait
    while True:
        try:
            raw = socket.create_connection((host, port), timeout=wait)
            break
        except OSError as exc:
            if time.monotonic() >= deadline:
                raise ChannelError(
                    f"The donor does not listen on {host}:{port}: {exc}. Is a firewall in between?"
                ) from exc
            time.sleep(_PAUSE_SECONDS)
    try:
        connection = context.wrap_socket(raw, server_hostname=host)
    except (OSError, ssl.SSLError) as exc:
        raw.close()
        raise ChannelError(f"{host}:{port} does not prove to be {host} to {identity.ca_file}: {exc}") from exc
    connection.settimeout(idle)
    channel = Channel(connection)
    try:
        yield channel
    finally:
        channel.close()


def names_address(certificate: c.Mapping[str, t.Any], address: str) -> bool:
    """Tell whether a certificate names an address."""
    return ("IP Address", address) in certificate.get("subjectAltName", ())


def _listening(address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port), backlog=4)
    except OSError as exc:
        raise ChannelError(
            f"Port {port} of {address} cannot be listened on: {exc}. Is another seeding running?"
        ) from exc


def _welcomed(context: ssl.SSLContext, raw: socket.socket, peer: str, idle: float) -> Channel | None:
    raw.settimeout(idle)
    try:
        connection = context.wrap_socket(raw, server_side=True)
    except (OSError, ssl.SSLError):
        return None
    if not names_address(connection.getpeercert() or {}, peer):
        connection.close()
        return None
    return Channel(connection)


def _context(protocol: ssl._SSLMethod, identity: Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=identity.ca_file)
        context.load_cert_chain(identity.certificate, identity.key)
    except (OSError, ssl.SSLError) as exc:
        raise ChannelError(f"The certificates for the channel cannot be read: {exc}") from exc
    return context


__all__ = ("Channel", "Identity", "accepted", "names_address", "reached")
