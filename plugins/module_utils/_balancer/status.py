# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a balancer says of its servers, in one vocabulary for all providers."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

    from .pool import Override, PoolServer, ServerState


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCheck:
    """The last time that the balancer learnt how a server is."""

    outcome: str
    """What it saw, in the provider's word or as the status of an answer."""
    passed: bool
    seconds_ago: float | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """A server as its balancer sees it."""

    server: PoolServer
    state: ServerState
    weight: int
    up: bool | None
    """Nothing where the balancer cannot know: nginx asks nobody for their health."""
    sessions: int
    """Requests that it is answering; on nginx connections that it has been sent."""
    requests: int | None = None
    """Since the balancer counts."""
    last_check: LastCheck | None = None
    changed_seconds_ago: int | None = None
    downtime_seconds: int | None = None
    override: Override | None = None

    @property
    def gets_requests(self) -> bool:
        return self.state.value == "ready" and self.weight > 0 and self.up is not False

    def as_result(self, total: int) -> dict[str, t.Any]:
        """Return the status, with the share of the requests of all servers."""
        known = self.requests is not None and total > 0
        return {
            "name": self.server.name,
            "address": self.server.address,
            "port": self.server.port,
            "backup": self.server.backup,
            "state": self.state.value,
            "weight": self.weight,
            "declared_weight": self.server.weight,
            "up": self.up,
            "sessions": self.sessions,
            "requests": self.requests,
            "share": round((self.requests or 0) / total, 4) if known else None,
            "last_check": dataclasses.asdict(self.last_check) if self.last_check else None,
            "changed_seconds_ago": self.changed_seconds_ago,
            "downtime_seconds": self.downtime_seconds,
            "override": self.override.as_result() if self.override else None,
        }


def as_results(statuses: c.Sequence[ServerStatus]) -> list[dict[str, t.Any]]:
    total = sum(status.requests or 0 for status in statuses)
    return [status.as_result(total) for status in statuses]


__all__ = ("LastCheck", "ServerStatus", "as_results")
