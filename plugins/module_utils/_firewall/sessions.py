# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The SSH sessions that are open now, from what ``ss`` prints."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from .rules import Packet

if t.TYPE_CHECKING:
    from .rules import Address

WELL_KNOWN_PORT = 22

_COLUMNS = 5
_CONFIGURED_PORT = re.compile(
    r"^\s*(?:Port[\s=]+(\d+)|ListenAddress[\s=]+(?:\[\S+\]|[^\s:]+):(\d+))\s*$", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    peer: Address
    peer_port: int
    address: Address
    port: int

    @property
    def local(self) -> bool:
        """Whether the session does not cross a wire; UFW admits the loopback interface before its own rules."""
        return self.peer.is_loopback or self.peer == self.address

    def packet(self, interfaces: t.Mapping[str, str]) -> Packet:
        return Packet(
            source=self.peer,
            source_port=self.peer_port,
            destination=self.address,
            port=self.port,
            interface=interfaces.get(str(self.address), ""),
        )


def parse_sockets(text: str, ports: t.Collection[int]) -> tuple[Session, ...]:
    """Read ``ss -Htanp``: the connections to a port of sshd, those that sshd is configured for and those it has.

    The owner of a connection is seen on few hosts: inside a container not even root sees that of an
    unprivileged user's session. The owner of the listener, which is root, is seen. A port that systemd holds
    for sshd has connections with an owner, or is in sshd's configuration.
    A connection that sshd opened itself, for a user's port forwarding, comes from no port that is listened on.
    """
    rows = [columns for line in text.splitlines() if len(columns := line.split(None, _COLUMNS)) >= _COLUMNS]
    listening = {_port(row[3]) for row in rows if row[0] == "LISTEN"}
    owned = {_port(row[3]) for row in rows if '"sshd' in row[-1]} & listening
    sessions = (_session(row[3], row[4]) for row in rows if row[0] == "ESTAB" and _port(row[3]) in owned.union(ports))
    return tuple(session for session in sessions if not session.local)


def parse_ports(text: str) -> set[int]:
    """Read the ports of sshd from lines of ``sshd_config``; without any, sshd has its well-known one."""
    return {int(port) for pair in _CONFIGURED_PORT.findall(text) for port in pair if port} or {WELL_KNOWN_PORT}


def session_of_environment(value: str) -> tuple[Session, ...]:
    """Read ``SSH_CONNECTION``: the session of this process itself, whatever program serves it."""
    words = value.split()
    if len(words) != 4:  # noqa: PLR2004 - peer, its port, own address, own port
        return ()
    session = Session(peer=_address(words[0]), peer_port=int(words[1]), address=_address(words[2]), port=int(words[3]))
    return () if session.local else (session,)


def parse_interfaces(text: str) -> dict[str, str]:
    """Read ``ip -o addr``: which interface has an address."""
    interfaces = {}
    for line in text.splitlines():
        words = line.split()
        interfaces[words[3].partition("/")[0]] = words[1]
    return interfaces


def _port(endpoint: str) -> int:
    port = endpoint.rpartition(":")[2]
    return int(port) if port.isdigit() else 0


def _session(local: str, peer: str) -> Session:
    address, peer_address = (endpoint.rpartition(":")[0] for endpoint in (local, peer))
    return Session(peer=_address(peer_address), peer_port=_port(peer), address=_address(address), port=_port(local))


def _address(text: str) -> Address:
    """Read an address as ``ss`` writes it: in brackets, with a zone, or as IPv4 mapped into IPv6."""
    address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


__all__ = ("Session", "parse_interfaces", "parse_ports", "parse_sockets", "session_of_environment")
