# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the load balancers from sharing an address, and each of them from having it."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Finding
from ansible_collections.webinfra.stack.plugins.plugin_utils.virtual_ip import NoInterfaceError, interface_of

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Member

VIRTUAL_IP = "webinfra_virtual_ip"

WITHOUT_VRRP = frozenset({("Ubuntu", "22.04")})
"""Distributions whose UFW is older than 0.36.2."""


def check_virtual_ip(address: str, balancers: t.Sequence[str], members: t.Sequence[Member]) -> list[Finding]:
    """Find what keeps the load balancers from sharing an address."""
    remedy = f"give {VIRTUAL_IP} an address of the balancers' network that nobody has, or leave it out"
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        return [Finding(where=VIRTUAL_IP, what=f"{address!r} is not an IP address", remedy=remedy)]
    findings = []
    if wanted.version != 4:  # noqa: PLR2004 - the number of the protocol
        what = f"{address} is an IPv6 address, and the load balancers answer over IPv4"
        findings.append(Finding(where=VIRTUAL_IP, what=what, remedy=remedy))
    owners = [member.name for member in members if member.address == str(wanted)]
    if owners:
        what = f"{address} is the address of {' and '.join(owners)}, and would have to be there and elsewhere"
        findings.append(Finding(where=VIRTUAL_IP, what=what, remedy=remedy))
    if len(balancers) < 2:  # noqa: PLR2004 - one who has it, and one who takes over
        what = "there is nobody who could take the address over: the group load_balancers has one host"
        remedy = f"put a second host into the group load_balancers, or leave {VIRTUAL_IP} out"
        findings.append(Finding(where=VIRTUAL_IP, what=what, remedy=remedy))
    return findings


def check_virtual_ip_host(
    host: str, address: str, addresses: t.Sequence[t.Mapping[str, str]], *, distribution: str, version: str
) -> list[Finding]:
    """Find out whether this load balancer can have the address and hear the others."""
    findings = []
    try:
        interface_of(address, addresses)
    except NoInterfaceError as exc:
        remedy = f"give {VIRTUAL_IP} an address of the balancers' network, and put all load balancers into that network"
        findings.append(Finding(where=host, what=f"it cannot have the address of {VIRTUAL_IP}: {exc}", remedy=remedy))
    except ValueError:
        return []  # that it is no address is a finding of the inventory
    if (distribution, version) in WITHOUT_VRRP:
        what = (
            f"the UFW of {distribution} {version} cannot let in VRRP, by which the balancers agree who has the address"
        )
        remedy = f"use a later release for the load balancers, or leave {VIRTUAL_IP} out"
        findings.append(Finding(where=host, what=what, remedy=remedy))
    return findings


__all__ = ("check_virtual_ip", "check_virtual_ip_host")
