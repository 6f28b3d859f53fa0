# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Rules of UFW: those that are declared, and those that UFW keeps in its files."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, replace

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MARKER = "webinfra: "
"""Every rule whose comment begins so is ours: it goes when it is no longer declared."""

ANY = "any"
PORTLESS = ("vrrp",)
"""Protocols without ports: a rule or a flow of one of them opens the whole protocol to its source."""
ADMITTING = frozenset({"allow", "limit"})

HIGHEST_PORT = 65535

_TUPLE = "### tuple ###"
_FORBIDDEN_IN_COMMENT = re.compile(r"['\x00-\x1f\x7f]")


class DeclaredRuleError(ValueError):
    """A rule that was asked for and that no firewall can have."""


class UnreadableRuleError(ValueError):
    """A line in UFW's files that does not read like UFW wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UfwRule:
    """One rule of one address family, as a ``### tuple ###`` line of ``user.rules`` or ``user6.rules`` tells it."""

    action: str
    protocol: str
    port: str
    destination: Network
    source_port: str
    source: Network
    log: str = ""
    routed: bool = False
    direction: str = "in"
    interface_in: str = ""
    interface_out: str = ""
    application: str = ""
    source_application: str = ""
    comment: str = ""

    @property
    def family(self) -> int:
        return self.source.version

    @property
    def ours(self) -> bool:
        return self.comment.startswith(MARKER)

    @property
    def match(self) -> UfwRule:
        """What the rule applies to. UFW keeps one rule of each match: adding a second one replaces the first."""
        return replace(self, action="", log="", comment="")

    @property
    def unrestricted(self) -> bool:
        """Whether the rule is about every address of its family."""
        return self.source.prefixlen == 0 and self.destination.prefixlen == 0

    def admits(self, packet: Packet) -> bool | None:
        """Tell what becomes of an incoming packet; None when the rule does not apply to it."""
        applies = (
            not self.routed
            and self.direction == "in"
            and self.protocol in {ANY, packet.protocol}
            and _has_port(self.port, packet.port)
            and _has_port(self.source_port, packet.source_port)
            and packet.source in self.source
            and packet.destination in self.destination
            and self.interface_in in {"", packet.interface}
        )
        return self.action in ADMITTING if applies else None

    def words(self) -> tuple[str, ...]:
        """Return the rule in the words of ``ufw``; both ends are named, so that the other family is left alone."""
        return (
            self.action,
            *self._interfaces(),
            *((self.log,) if self.log else ()),
            *(() if self.protocol == ANY or self._applications else ("proto", self.protocol)),
            *("from", str(self.source), *_port_words(self.source_application, self.source_port)),
            *("to", str(self.destination), *_port_words(self.application, self.port)),
        )

    def text(self, any_word: str) -> str:
        """Return the rule as a line for people; ``any_word`` stands for every address."""
        target = self.application or "/".join(part for part in (self.port, self.protocol) if part != ANY) or ANY
        parts = [
            *(["route"] if self.routed else []),
            self.action,
            *self._interfaces(),
            *([self.log] if self.log else []),
            target,
            *([] if self.destination.prefixlen == 0 else ["to", _plain(self.destination)]),
            *("from", any_word if self.source.prefixlen == 0 else _plain(self.source)),
            *_port_words(self.source_application, self.source_port),
        ]
        return " ".join(parts) + (f"  # {self.comment}" if self.comment else "")

    @property
    def _applications(self) -> bool:
        return bool(self.application or self.source_application)

    def _interfaces(self) -> tuple[str, ...]:
        words: list[str] = []
        if self.interface_in:
            words += ["in", "on", self.interface_in]
        if self.interface_out:
            words += ["out", "on", self.interface_out]
        if not words and self.direction == "out":
            words = ["out"]
        return tuple(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """The first packet of a connection that somebody opens to this host."""

    source: Address
    source_port: int
    destination: Address
    port: int
    interface: str
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRule:
    """A rule that somebody asked for; ``peer`` None is anybody, of both families."""

    peer: Network | None
    """Who may come in, or where this host may go."""
    port: int | None
    """None with a protocol that has none."""
    protocol: str
    comment: str
    direction: str = "in"

    @classmethod
    def from_options(
        cls, peer: str, port: int | None, protocol: str, comment: str, direction: str = "in"
    ) -> DeclaredRule:
        if (port is None) is not (protocol in PORTLESS):
            lacking = f"{protocol} has no ports" if port is not None else "there is no port"
            raise DeclaredRuleError(f"rules: {lacking}, in {comment!r}; only {' and '.join(PORTLESS)} goes without")
        if port is not None and not 1 <= port <= HIGHEST_PORT:
            raise DeclaredRuleError(
                f"rules: port {port} of {comment!r} is not a port; give one from 1 to {HIGHEST_PORT}"
            )
        if _FORBIDDEN_IN_COMMENT.search(comment):
            raise DeclaredRuleError(
                f"rules: comment {comment!r} has an apostrophe or a control character, which UFW refuses; "
                "take it out of the name of the flow or host"
            )
        network = _network(peer, comment)
        return cls(peer=network, port=port, protocol=protocol, comment=MARKER + comment, direction=direction)

    def rules(self, *, ipv6: bool) -> tuple[UfwRule, ...]:
        """Return the rules that UFW keeps for this one."""
        everywhere = (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("::/0"))
        peers: tuple[Network, ...] = (self.peer,) if self.peer else everywhere if ipv6 else everywhere[:1]
        if not ipv6 and peers[0].version == 6:  # noqa: PLR2004 - the number of the protocol
            raise DeclaredRuleError(
                f"rules: {self.comment!r} names the IPv6 network {self.peer}, but UFW leaves IPv6 alone on this host "
                "(IPV6 in /etc/default/ufw, or a kernel without IPv6); set IPV6=yes there, or use an IPv4 address"
            )
        return tuple(
            UfwRule(
                action="allow",
                protocol=self.protocol,
                port=ANY if self.port is None else str(self.port),
                destination=peer if self.outgoing else everywhere[peer.version == 6],  # noqa: PLR2004 - see above
                source_port=ANY,
                source=everywhere[peer.version == 6] if self.outgoing else peer,  # noqa: PLR2004 - see above
                direction=self.direction,
                comment=self.comment,
            )
            for peer in peers
        )

    def words(self) -> tuple[str, ...]:
        """Return the rule in the words of the ``ufw`` command."""
        peer = _plain(self.peer) if self.peer else ANY
        ends = ("from", ANY, "to", peer) if self.outgoing else ("from", peer, "to", ANY)
        way = ("out",) if self.outgoing else ()
        port = () if self.port is None else ("port", str(self.port))
        return ("allow", *way, "proto", self.protocol, *ends, *port, "comment", self.comment)

    @property
    def outgoing(self) -> bool:
        return self.direction == "out"

    @property
    def target(self) -> str:
        """What is let through, for people."""
        return self.protocol if self.port is None else f"{self.port}/{self.protocol}"


def parse_rules(text: str) -> tuple[UfwRule, ...]:
    """Read the rules of ``user.rules`` or ``user6.rules``."""
    return tuple(_parse_tuple(line) for line in text.splitlines() if line.startswith(_TUPLE))


def describe(rules: t.Iterable[UfwRule]) -> list[str]:
    """Return rules as lines for people; the two halves of a rule for both families become one line."""
    lines: dict[str, set[int]] = {}
    for rule in rules:
        lines.setdefault(rule.text("{any}"), set()).add(rule.family)
    return [
        line.replace("{any}", ANY if len(families) > 1 else f"{ANY} (IPv{min(families)})")
        for line, families in lines.items()
    ]


def _parse_tuple(line: str) -> UfwRule:
    fields = line.removeprefix(_TUPLE).split()
    comment = ""
    if fields and fields[-1].startswith("comment="):
        comment = _decoded(fields.pop().removeprefix("comment="), line)
    application, source_application = "", ""
    if len(fields) == 9:  # noqa: PLR2004 - with the names of application profiles
        application, source_application = (_application(field) for field in fields[6:8])
        del fields[6:8]
    if len(fields) != 7:  # noqa: PLR2004 - without them
        raise UnreadableRuleError(_unreadable(line))
    action, protocol, port, destination, source_port, source, way = fields
    routed = action.startswith("route:")
    action, _, log = action.removeprefix("route:").partition("_")
    interfaces = dict(part.split("_", 1) for part in way.split("!") if "_" in part)
    try:
        return UfwRule(
            action=action,
            log=log,
            routed=routed,
            protocol=protocol,
            port=port,
            destination=ipaddress.ip_network(destination),
            source_port=source_port,
            source=ipaddress.ip_network(source),
            direction=way.split("!")[0].partition("_")[0],
            interface_in=interfaces.get("in", ""),
            interface_out=interfaces.get("out", ""),
            application=application,
            source_application=source_application,
            comment=comment,
        )
    except ValueError as exc:
        raise UnreadableRuleError(_unreadable(line)) from exc


def _decoded(text: str, line: str) -> str:
    try:
        return bytes.fromhex(text).decode("utf-8", errors="replace")
    except ValueError as exc:
        raise UnreadableRuleError(_unreadable(line)) from exc


def _unreadable(line: str) -> str:
    return f"this line of UFW's rules is not as UFW writes it: {line!r}; was the file in /etc/ufw edited by hand?"


def _application(field: str) -> str:
    return "" if field == "-" else field.replace("%20", " ")


def _network(text: str, comment: str) -> Network | None:
    if text == ANY:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise DeclaredRuleError(
            f"rules: {text!r} of {comment!r} is neither an IP address nor a network; "
            f"write for example 192.0.2.7, 192.0.2.0/24 or {ANY}"
        ) from None


def _has_port(ports: str, port: int) -> bool:
    """Tell whether ``any``, ``80``, ``80,443`` or ``5000:5010`` contains a port."""
    if ports == ANY:
        return True
    for part in ports.split(","):
        first, _, last = part.partition(":")
        if int(first) <= port <= int(last or first):
            return True
    return False


def _port_words(application: str, port: str) -> tuple[str, ...]:
    if application:
        return ("app", application)
    return () if port == ANY else ("port", port)


def _plain(network: Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)


__all__ = (
    "ANY",
    "MARKER",
    "PORTLESS",
    "Address",
    "DeclaredRule",
    "DeclaredRuleError",
    "Network",
    "Packet",
    "UfwRule",
    "UnreadableRuleError",
    "describe",
    "parse_rules",
)
