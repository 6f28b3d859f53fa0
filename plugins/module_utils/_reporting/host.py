# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a host says of itself that node-exporter does not know, as Prometheus text."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from .._firewall.kernel import runs
from .._replication.prometheus import family
from .._service.survey import interface_addresses

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.prometheus import Sample

_PREFIX = "webinfra_host_"
_IPV4 = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSight:
    """A host at one moment; nothing where it could not be seen."""

    reboot_required: bool
    firewall_active: bool | None
    failed_units: tuple[str, ...] | None
    shared_addresses: c.Mapping[str, bool] | None
    """Whether it has each of the addresses that it may have."""


def filters(listing: str) -> bool:
    """Tell from C(iptables -S) whether UFW decides what comes in, and lets nothing in by itself."""
    return runs(listing, _IPV4) and "-P INPUT DROP" in listing.splitlines()


def failed(listing: str) -> tuple[str, ...]:
    """Read C(systemctl list-units --state=failed --plain --no-legend)."""
    return tuple(words[0] for line in listing.splitlines() if (words := line.split()))


def held(listing: str, addresses: c.Iterable[str]) -> dict[str, bool]:
    """Tell from C(ip -o addr) which of the addresses the host has."""
    present = {ipaddress.ip_interface(row["address"]).ip for row in interface_addresses(listing)}
    return {address: ipaddress.ip_address(address) in present for address in addresses}


def metrics(sight: HostSight, *, at: float) -> str:
    """Write what was seen; what was not is left out, and the alert on a report that is too old says so."""
    firewall = sight.firewall_active
    complete = firewall is not None and sight.failed_units is not None and sight.shared_addresses is not None
    families: list[tuple[str, str, list[Sample]]] = [
        ("report_complete", "Whether everything could be looked at.", [({}, float(complete))]),
        ("report_timestamp_seconds", "When the host was looked at, in seconds since 1970.", [({}, at)]),
        (
            "reboot_required",
            "Whether an installed kernel or library waits for a reboot.",
            [({}, float(sight.reboot_required))],
        ),
        (
            "firewall_active",
            "Whether the firewall decides what comes in.",
            [] if firewall is None else [({}, float(firewall))],
        ),
        (
            "unit_failed",
            "One for each unit that has failed.",
            [({"unit": unit}, 1.0) for unit in sight.failed_units or ()],
        ),
        (
            "shared_address",
            "Whether the host has an address that moves between hosts.",
            [({"address": address}, float(has)) for address, has in (sight.shared_addresses or {}).items()],
        ),
    ]
    return "".join(family(f"{_PREFIX}{name}", words, samples) for name, words, samples in families)


__all__ = ("HostSight", "failed", "filters", "held", "metrics")
