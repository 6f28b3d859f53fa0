# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow matrix: who may talk to whom. Firewall rules and reachability checks are two readings of it."""

from __future__ import annotations

import difflib
import ipaddress
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import PORTLESS

ANY = "any"
INTERNET = "internet"
CONTROLLER = "controller"
EVERY_HOST = "all"
PROTOCOLS = ("tcp", "udp", *PORTLESS)
HIGHEST_PORT = 65535
TOPOLOGY_GROUPS = ("load_balancers", "web_servers", "db_servers", "monitoring")
"""Groups that a flow may name although no host is in them. Every other group must have a host."""

OPEN = "open"
CLOSED = "closed"

_REQUIRED = ("name", "from", "to", "ports")
_KEYS = (*_REQUIRED, "protocol", "permanent")


class FlowError(ValueError):
    """A flow or a host of the matrix that cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    name: str
    address: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    name: str
    source: str
    """A group, ``internet`` (anybody) or ``controller`` (where Ansible runs)."""
    target: str
    """A group, or ``all``."""
    ports: tuple[int | None, ...]
    """A protocol without ports has one, which is none."""
    protocol: str
    permanent: bool = True
    """Whether somebody always listens. An open port without a listener looks as if the host refused."""

    def reaches(self, host: Host) -> bool:
        return self.target == EVERY_HOST or self.target in host.groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a host's firewall lets in, or out."""

    peer: str
    """An address, a network, or ``any``."""
    port: int | None
    protocol: str
    comment: str
    outgoing: bool = False
    """Whether the host goes there, and not the other way round."""

    def as_result(self) -> dict[str, t.Any]:
        port = {} if self.port is None else {"port": self.port}
        return {
            "to" if self.outgoing else "from": self.peer,
            **port,
            "protocol": self.protocol,
            "comment": self.comment,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something outside of the matrix that every host needs, like time and names."""

    name: str
    peer: str
    ports: tuple[int, ...]
    protocol: str

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> Service:
        name, known = str(options.get("name") or "without a name"), ("name", "to", "ports", "protocol")
        for key in options:
            if key not in known:
                raise FlowError(
                    f"service {name}: unknown key {key!r}{_suggestion(key, known)}; known are {', '.join(known)}"
                )
        protocol = str(options.get("protocol", "tcp"))
        if protocol not in {"tcp", "udp"}:
            raise FlowError(f"service {name}: protocol {protocol!r} is not known; write tcp or udp")
        peer = str(options.get("to", ANY))
        return cls(
            name=name,
            peer=peer if peer == ANY else _network(peer),
            ports=_ports(name, options.get("ports", [])),
            protocol=protocol,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One connection to try, and what should become of it."""

    name: str
    host: str
    port: int
    protocol: str
    expected: str
    flow: str
    """The flows that open the port to this source; for a closed port, those that open it to others."""

    def as_result(self) -> dict[str, t.Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    flows: tuple[Flow, ...]
    hosts: tuple[Host, ...]

    def rules_for(self, name: str, controller_addresses: t.Sequence[str] = ()) -> tuple[Rule, ...]:
        """Return what the host lets in, in the order of the flows and of the inventory."""
        host = self._host(name)
        labels: dict[tuple[str, int | None, str], list[tuple[str, str]]] = {}
        for flow in self.flows:
            if not flow.reaches(host):
                continue
            for source, label in self._sources(flow, host, controller_addresses):
                for port in flow.ports:
                    labels.setdefault((source, port, flow.protocol), []).append((flow.name, label))
        return tuple(
            Rule(peer=source, port=port, protocol=protocol, comment=_comment(reasons))
            for (source, port, protocol), reasons in labels.items()
        )

    def rules_out_of(self, name: str, services: t.Iterable[Service]) -> tuple[Rule, ...]:
        """Return where the host may go: to whom a flow of the matrix leads it, and to services outside of it."""
        host = self._host(name)
        labels: dict[tuple[str, int | None, str], list[tuple[str, str]]] = {}
        for flow in self.flows:
            if flow.source not in host.groups:
                continue
            for member in self.hosts:
                if flow.reaches(member) and member.address != host.address:
                    for port in flow.ports:
                        labels.setdefault((member.address, port, flow.protocol), []).append((flow.name, member.name))
        for service in services:
            for port in service.ports:
                labels.setdefault((service.peer, port, service.protocol), []).append((service.name, "outside"))
        return tuple(
            Rule(peer=peer, port=port, protocol=protocol, comment=_comment(reasons), outgoing=True)
            for (peer, port, protocol), reasons in labels.items()
        )

    def probes_from(self, source: str, controller_addresses: t.Sequence[str] | None = None) -> tuple[Probe, ...]:
        """Return every other host and every TCP port of the matrix, with what the matrix says of it.

        Without knowing the controller's addresses nothing can be said of a port that only the controller
        may reach: those are left out.
        """
        origin = None if source == CONTROLLER else self._host(source)
        ports = dict.fromkeys(port for flow in self.flows if flow.protocol == "tcp" for port in flow.ports if port)
        probes = []
        for host in self.hosts:
            if host == origin:
                continue
            for port in ports:
                flows = [flow for flow in self.flows if port in flow.ports and flow.protocol == "tcp"]
                opening = [flow for flow in flows if flow.reaches(host)]
                admitting = [flow for flow in opening if _admits(flow, origin, controller_addresses)]
                by_controller = any(flow.source == CONTROLLER for flow in opening)
                if origin and not admitting and by_controller and controller_addresses is None:
                    continue
                if admitting and not any(flow.permanent for flow in admitting):
                    continue
                probes.append(
                    Probe(
                        name=host.name,
                        host=host.address,
                        port=port,
                        protocol="tcp",
                        expected=OPEN if admitting else CLOSED,
                        flow=", ".join(dict.fromkeys(flow.name for flow in admitting or flows)),
                    )
                )
        return tuple(probes)

    def _host(self, name: str) -> Host:
        for host in self.hosts:
            if host.name == name:
                return host
        raise FlowError(
            f"flows: there is no host {name!r}{_suggestion(name, [host.name for host in self.hosts])}; "
            "give a name of the inventory"
        )

    def _sources(self, flow: Flow, host: Host, controller_addresses: t.Sequence[str]) -> list[tuple[str, str]]:
        """Return address and label of each source of a flow, as the host sees it."""
        if flow.source == INTERNET:
            return [(ANY, INTERNET)]
        if flow.source == CONTROLLER:
            return [(_network(address), CONTROLLER) for address in controller_addresses] or [(ANY, CONTROLLER)]
        return [
            (member.address, member.name)
            for member in self.hosts
            if flow.source in member.groups and member.address != host.address
        ]


def matrix(flows: t.Iterable[t.Mapping[str, t.Any]], hosts: t.Iterable[t.Mapping[str, t.Any]]) -> Matrix:
    """Read the matrix; a group that nobody is in, a misspelt key or a port that is none stops here."""
    members = tuple(_read_host(host) for host in hosts)
    groups = {group for member in members for group in member.groups} | set(TOPOLOGY_GROUPS)
    return Matrix(flows=tuple(_read_flow(flow, groups) for flow in flows), hosts=members)


def _read_host(host: t.Mapping[str, t.Any]) -> Host:
    name, address = str(host["name"]), str(host["address"])
    try:
        address = str(ipaddress.ip_address(address))
    except ValueError:
        raise FlowError(
            f"host {name}: {address!r} is not an IP address, and a firewall rule needs one; "
            "set internal_address (or ansible_host) of this host in the inventory"
        ) from None
    return Host(name=name, address=address, groups=frozenset(str(group) for group in host["groups"]))


def _read_flow(flow: t.Mapping[str, t.Any], groups: t.Collection[str]) -> Flow:
    name = str(flow.get("name") or "without a name")
    for key in flow:
        if key not in _KEYS:
            raise FlowError(f"flow {name}: unknown key {key!r}{_suggestion(key, _KEYS)}; known are {', '.join(_KEYS)}")
    protocol = str(flow.get("protocol", "tcp"))
    if protocol not in PROTOCOLS:
        raise FlowError(f"flow {name}: protocol {protocol!r} is not known; write {' or '.join(PROTOCOLS)}")
    if protocol in PORTLESS and "ports" in flow:
        raise FlowError(f"flow {name}: {protocol} has no ports; leave ports out")
    required = [key for key in _REQUIRED if key != "ports" or protocol not in PORTLESS]
    missing = [key for key in required if flow.get(key) in (None, "", [])]
    if missing:
        raise FlowError(f"flow {name}: {' and '.join(missing)} missing; every flow has {', '.join(required)}")
    permanent = flow.get("permanent", True)
    if not isinstance(permanent, bool):
        raise FlowError(f"flow {name}: permanent: {permanent!r} is neither true nor false")
    return Flow(
        name=name,
        source=_end(name, "from", str(flow["from"]), [INTERNET, CONTROLLER, EVERY_HOST, *sorted(groups)]),
        target=_end(name, "to", str(flow["to"]), [EVERY_HOST, *sorted(groups)]),
        ports=(None,) if protocol in PORTLESS else _ports(name, flow["ports"]),
        protocol=protocol,
        permanent=permanent,
    )


def _end(name: str, key: str, value: str, known: t.Sequence[str]) -> str:
    if value in known:
        return value
    raise FlowError(
        f"flow {name}: {key}: there is no group {value!r} in the inventory, or it has no host"
        f"{_suggestion(value, known)}; known are {', '.join(dict.fromkeys(known))}"
    )


def _ports(name: str, value: t.Any) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, t.Iterable):
        raise FlowError(f"flow {name}: ports must be a list; write ports: [{value}]")
    return tuple(dict.fromkeys(_port(name, port) for port in value))


def _port(name: str, value: t.Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= HIGHEST_PORT:
        raise FlowError(f"flow {name}: port {value!r} is not a port; write a whole number from 1 to {HIGHEST_PORT}")
    return int(text)


def _network(address: str) -> str:
    try:
        network = ipaddress.ip_network(str(address), strict=False)
    except ValueError:
        raise FlowError(
            f"address {address!r} is neither an IP address nor a network; write for example 192.0.2.7 or 192.0.2.0/24"
        ) from None
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _admits(flow: Flow, origin: Host | None, controller_addresses: t.Sequence[str] | None) -> bool:
    """Tell whether a flow lets this source in; no origin is the controller, which is somewhere in the internet."""
    if flow.source == INTERNET:
        return True
    if origin is None:
        return flow.source == CONTROLLER
    if flow.source != CONTROLLER:
        return flow.source in origin.groups
    if controller_addresses is None:
        return False
    address = ipaddress.ip_address(origin.address)
    return not controller_addresses or any(
        address in ipaddress.ip_network(_network(network)) for network in controller_addresses
    )


def _comment(reasons: t.Sequence[tuple[str, str]]) -> str:
    flows = ", ".join(dict.fromkeys(flow for flow, _label in reasons))
    labels = ", ".join(dict.fromkeys(label for _flow, label in reasons))
    return f"{flows} ({labels})"


def _suggestion(word: str, known: t.Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


__all__ = (
    "ANY",
    "CLOSED",
    "CONTROLLER",
    "EVERY_HOST",
    "INTERNET",
    "OPEN",
    "PROTOCOLS",
    "TOPOLOGY_GROUPS",
    "Flow",
    "FlowError",
    "Host",
    "Matrix",
    "Probe",
    "Rule",
    "Service",
    "matrix",
)
