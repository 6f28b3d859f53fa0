# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts without which reads or writes stop."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import SinglePoint, Tier
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.seen import Seen, see

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.reading import Result

EVERYTHING = "reads and writes"


def single_points_of(seen: Seen, addresses: t.Mapping[str, str], url: str) -> t.Iterator[SinglePoint]:
    """Find the hosts that stand alone now, whether by the inventory or because another one is away."""
    declared = seen.of_tier(Tier.LOAD_BALANCERS)
    balancers = list(seen.balancers) or declared
    entrance = urllib.parse.urlsplit(url).hostname or ""
    at = [name for name in balancers if addresses[name] == entrance]
    if len(balancers) == 1:
        remedy = "add a second host to load_balancers, and set webinfra_virtual_ip"
        yield _alone(Tier.LOAD_BALANCERS, balancers[0], declared, remedy)
    elif at and not seen.shared_address:
        remedy = "set webinfra_virtual_ip, or webinfra_public_url to a name that leads to all load balancers"
        yield SinglePoint(tier=Tier.LOAD_BALANCERS, host=at[0], stops=EVERYTHING, remedy=remedy)
    declared = seen.of_tier(Tier.WEB_SERVERS)
    servers = [name for name, server in seen.servers.items() if server.answers] or declared
    if len(servers) == 1:
        yield _alone(Tier.WEB_SERVERS, servers[0], declared, "add a second host to web_servers")
    declared = seen.of_tier(Tier.DB_SERVERS)
    databases = _indispensable_databases(seen) or declared
    if len(databases) == 1:
        yield _alone(Tier.DB_SERVERS, databases[0], declared, "add a second host to db_servers")


def declared_single_points(hosts: c.Sequence[Result], *, shared_address: str, url: str) -> list[SinglePoint]:
    """Find the hosts that would stand alone if everything worked, from the inventory alone."""
    nothing: dict[str, t.Any] = {"certificates": {}, "surveys": {}, "balancers": {}, "databases": {}}
    seen = see(hosts, shared_address=shared_address, release_link="", now=0, **nothing)
    return list(single_points_of(seen, {host["name"]: host["address"] for host in hosts}, url))


def _alone(tier: Tier, name: str, declared: c.Sequence[str], remedy: str) -> SinglePoint:
    others = " or ".join(other for other in declared if other != name)
    return SinglePoint(tier=tier, host=name, stops=EVERYTHING, remedy=f"bring {others} back" if others else remedy)


def _indispensable_databases(seen: Seen) -> list[str]:
    """Return the primary, where no replica could stand in for it."""
    if seen.databases is None or any(link.running for link in seen.databases.links):
        return []
    return [name for name, database in seen.databases.servers.items() if database.role == "primary"]


__all__ = ("declared_single_points", "single_points_of")
