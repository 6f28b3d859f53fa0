# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The servers behind a balancer as they are declared, and what was set for one of them at run time."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import json
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

GREATEST_WEIGHT = 256
"""Rule: HAProxy's management guide, C(set server … weight)."""


class PoolError(Exception):
    """What is written down about a pool cannot be used; the text says where and what to do."""


class Provider(enum.Enum):
    HAPROXY = "haproxy"
    NGINX = "nginx"


class ServerState(enum.Enum):
    """What a server is given to do. Rule: HAProxy's management guide, C(set server … state)."""

    READY = "ready"
    DRAIN = "drain"
    """No new requests; those that it has are finished."""
    MAINTENANCE = "maintenance"
    """As drained, and its health is not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolServer:
    """A server as it is declared."""

    name: str
    address: str
    port: int
    weight: int = 1
    backup: bool = False
    max_connections: int = 0

    @property
    def endpoint(self) -> str:
        """Return address and port as the kernel and nginx write them."""
        try:
            address = ipaddress.ip_address(self.address).compressed
        except ValueError:
            address = self.address
        return f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"

    @classmethod
    def from_options(cls, options: c.Mapping[str, t.Any]) -> PoolServer:
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: options[name] for name in names if options.get(name) is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All servers behind one balancer, and where each says that it is ready."""

    provider: Provider
    health_path: str
    servers: tuple[PoolServer, ...]

    @classmethod
    def from_text(cls, text: str) -> Pool:
        try:
            fields = json.loads(text)
            return cls(
                provider=Provider(fields["provider"]),
                health_path=fields["health_path"],
                servers=tuple(PoolServer.from_options(options) for options in fields["servers"]),
            )
        except (ValueError, TypeError, KeyError) as exc:
            raise PoolError(
                f"it does not list the servers of a balancer ({exc!r}); run the role load_balancer"
            ) from exc

    def server(self, name: str) -> PoolServer:
        for server in self.servers:
            if server.name == name:
                return server
        names = ", ".join(server.name for server in self.servers)
        raise PoolError(f"{name} is no server of this balancer; it has {names or 'none'}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What was set for a server at run time. It lasts until it is taken back, over reloads and reboots."""

    state: ServerState
    weight: int | None = None
    """Nothing where the declared weight holds."""
    since: str = ""
    """The moment in UTC, as ISO 8601 has it."""
    requested_by: str | None = None
    reason: str | None = None

    @property
    def changes_nothing(self) -> bool:
        return self.state is ServerState.READY and self.weight is None

    def same_effect_as(self, other: Override | None) -> bool:
        return other is not None and (self.state, self.weight) == (other.state, other.weight)

    def as_result(self) -> dict[str, t.Any]:
        return {**dataclasses.asdict(self), "state": self.state.value}

    @classmethod
    def from_options(cls, options: c.Mapping[str, t.Any]) -> Override:
        return cls(
            state=ServerState(options["state"]),
            weight=options.get("weight"),
            since=options.get("since", ""),
            requested_by=options.get("requested_by"),
            reason=options.get("reason"),
        )


class Overrides(dict[str, Override]):
    """By the names of servers."""

    @classmethod
    def from_result(cls, result: c.Mapping[str, c.Mapping[str, t.Any]]) -> Overrides:
        try:
            return cls({name: Override.from_options(options) for name, options in result.items()})
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise PoolError(f"it does not say what was set for servers ({exc!r}); remove it to forget that") from exc

    @classmethod
    def from_text(cls, text: str) -> Overrides:
        try:
            return cls.from_result(json.loads(text))
        except ValueError as exc:
            raise PoolError(f"it is not JSON ({exc}); remove it to forget what was set for servers") from exc

    def to_text(self) -> str:
        return json.dumps(self.as_result(), indent=2, ensure_ascii=False) + "\n"

    def as_result(self) -> dict[str, t.Any]:
        return {name: override.as_result() for name, override in sorted(self.items())}

    def state_of(self, server: PoolServer) -> ServerState:
        return self[server.name].state if server.name in self else ServerState.READY

    def weight_of(self, server: PoolServer) -> int:
        override = self.get(server.name)
        return server.weight if override is None or override.weight is None else override.weight

    def share_of(self, server: PoolServer) -> int:
        """Return the weight with which it really gets requests."""
        return self.weight_of(server) if self.state_of(server) is ServerState.READY else 0

    def with_override(self, name: str, override: Override) -> Overrides:
        others = {other: kept for other, kept in self.items() if other != name}
        return Overrides(others if override.changes_nothing else {**others, name: override})


__all__ = (
    "GREATEST_WEIGHT",
    "Override",
    "Overrides",
    "Pool",
    "PoolError",
    "PoolServer",
    "Provider",
    "ServerState",
)
