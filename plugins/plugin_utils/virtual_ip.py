# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An address that several hosts share: on which interface of a host it can be, and who has it."""

from __future__ import annotations

import ipaddress
import typing as t

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


class NoInterfaceError(ValueError):
    """A host that is in no network of the address."""


def interface_of(address: str, addresses: t.Iterable[t.Mapping[str, str]]) -> str:
    """Return the interface whose network the address is in, the smallest network first."""
    wanted = ipaddress.ip_address(address)
    known = [(row["interface"], ipaddress.ip_interface(row["address"])) for row in addresses]
    fitting = [(name, own) for name, own in known if _could_have(own, wanted)]
    if not fitting:
        networks = ", ".join(dict.fromkeys(f"{own.network} ({name})" for name, own in known if _has_neighbours(own)))
        raise NoInterfaceError(f"{address} is in none of its networks: {networks or 'it has none'}")
    return max(fitting, key=lambda pair: pair[1].network.prefixlen)[0]


def holders(address: str, addresses: t.Mapping[str, t.Iterable[t.Mapping[str, str]]]) -> list[str]:
    """Return the hosts that have the address now."""
    wanted = ipaddress.ip_address(address)
    return [
        host
        for host, rows in addresses.items()
        if any(ipaddress.ip_interface(row["address"]).ip == wanted for row in rows)
    ]


def _could_have(own: Interface, wanted: Address) -> bool:
    return _has_neighbours(own) and wanted in own.network and wanted not in _reserved(own)


def _has_neighbours(own: Interface) -> bool:
    return not own.ip.is_loopback and not own.ip.is_link_local and own.network.num_addresses > 1


def _reserved(own: Interface) -> tuple[Address, ...]:
    """Return the addresses of an IPv4 network that no host can have; one of two addresses has none."""
    network = own.network
    if isinstance(network, ipaddress.IPv6Network) or network.num_addresses == 2:  # noqa: PLR2004 - RFC 3021
        return ()
    return (network.network_address, network.broadcast_address)


__all__ = ("NoInterfaceError", "holders", "interface_of")
