# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way requests go, and what part of them."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Tier, Traffic, TrafficState

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import PoolServer
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.reading import BalancerView
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.seen import Seen


def traffic_of(seen: Seen) -> t.Iterator[Traffic]:
    """Yield the edges from the public URL to the load balancers, and from each of them to the web servers."""
    requests = {name: sum(count or 0 for count in view.requests.values()) for name, view in seen.balancers.items()}
    total = sum(requests.values())
    entrances = [name for name in seen.balancers if _is_entrance(seen, name)]
    for name in seen.of_tier(Tier.LOAD_BALANCERS):
        part = _part(requests.get(name, 0), total, name in entrances, len(entrances))
        yield Traffic(source=None, target=name, state=_entrance_state(seen, name), share=part, measured=total > 0)
        for server in seen.of_tier(Tier.WEB_SERVERS):
            yield _to_server(seen, name, server, part)


def _to_server(seen: Seen, balancer: str, name: str, part: float) -> Traffic:
    view = seen.balancers.get(balancer)
    server = view.servers.get(name) if view else None
    if view is None or server is None:
        return Traffic(source=balancer, target=name, state=TrafficState.BROKEN, share=0.0, measured=False)
    state = _server_state(server)
    if not _is_entrance(seen, balancer) and state is TrafficState.FLOWING:
        state = TrafficState.WAITING
    share, measured = _share(view, server)
    return Traffic(source=balancer, target=name, state=state, share=part * share, measured=measured)


def _is_entrance(seen: Seen, balancer: str) -> bool:
    return not seen.shared_address or bool(seen.surveys[balancer].has_shared_address)


def _entrance_state(seen: Seen, balancer: str) -> TrafficState:
    if balancer not in seen.balancers:
        return TrafficState.BROKEN
    return TrafficState.FLOWING if _is_entrance(seen, balancer) else TrafficState.WAITING


def _server_state(server: PoolServer) -> TrafficState:
    if server.state == "ready" and server.up is False:
        return TrafficState.BROKEN
    waits = server.state != "ready" or server.weight == 0 or (server.backup and not server.share)
    return TrafficState.WAITING if waits else TrafficState.FLOWING


def _share(view: BalancerView, server: PoolServer) -> tuple[float, bool]:
    """Return a server's part among those that get requests now, counted; what the weights promise where nothing was."""
    able = [each for each in view.servers.values() if _server_state(each) is TrafficState.FLOWING]
    counted = sum(each.share or 0.0 for each in able)
    if server not in able:
        return 0.0, server.share is not None
    if counted:
        return min(1.0, (server.share or 0.0) / counted), True
    return server.weight / sum(each.weight for each in able), False


def _part(requests: int, total: int, is_entrance: bool, entrances: int) -> float:
    if total:
        return requests / total
    return 1 / entrances if is_entrance else 0.0


__all__ = ("traffic_of",)
