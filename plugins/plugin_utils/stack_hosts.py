# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the wiring knows of each host, from the inventory alone: a run limited to one host knows the others too."""

from __future__ import annotations

import ipaddress
import typing as t
import zlib
from dataclasses import asdict, dataclass

DEFAULT_WEIGHT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StackHost:
    name: str
    address: str
    """Where the other hosts reach it: ``internal_address``, else ``ansible_host``, else the inventory name."""
    groups: tuple[str, ...]
    weight: int
    backup: bool
    max_connections: int = 0
    slow_start: int = 0

    @property
    def server_id(self) -> int:
        """The database's ``server_id``: stable, and unique as long as the addresses are.

        IPv4 addresses are 32 bits wide, like a server_id; others are folded to that width.
        """
        try:
            return int(ipaddress.IPv4Address(self.address))
        except ipaddress.AddressValueError:
            return zlib.crc32(self.address.encode())

    def as_result(self) -> dict[str, t.Any]:
        return {**asdict(self), "groups": list(self.groups), "server_id": self.server_id}


def stack_hosts(
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]], groups: t.Mapping[str, t.Sequence[str]]
) -> list[StackHost]:
    """Read the hosts of the inventory in its order."""
    return [
        StackHost(
            name=name,
            address=_address(name, hostvars[name]),
            groups=tuple(sorted(group for group, members in groups.items() if name in members)),
            weight=int(hostvars[name].get("weight", DEFAULT_WEIGHT)),
            backup=_flag(hostvars[name].get("backup", False)),
            max_connections=int(hostvars[name].get("max_connections", 0)),
            slow_start=int(hostvars[name].get("slow_start", 0)),
        )
        for name in groups["all"]
    ]


def pool(hosts: t.Iterable[t.Mapping[str, t.Any]], group: str, port: int) -> list[dict[str, t.Any]]:
    """Return the servers of a balancer: the hosts of one group at one port."""
    return [
        {
            "name": host["name"],
            "address": host["address"],
            "port": int(port),
            "weight": host["weight"],
            "backup": host["backup"],
            "max_connections": host["max_connections"],
            "slow_start": host["slow_start"],
        }
        for host in hosts
        if group in host["groups"]
    ]


def _address(name: str, variables: t.Mapping[str, t.Any]) -> str:
    return str(variables.get("internal_address") or variables.get("ansible_host") or name)


def _flag(value: t.Any) -> bool:
    return value if isinstance(value, bool) else str(value).strip().lower() in {"yes", "true", "on", "1"}


__all__ = ("DEFAULT_WEIGHT", "StackHost", "pool", "stack_hosts")
