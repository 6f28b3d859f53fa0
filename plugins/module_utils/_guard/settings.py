# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a host's guard has to know, from a file that its role writes."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .._replication.convergence import PrimarySettings
from .._replication.reopening import Terms
from .._replication.semi_sync import Durability
from .._sql.connection import Login
from .._sql.survey import Target

if t.TYPE_CHECKING:
    import collections.abc as c

_CONNECT_SECONDS = 1
_STATEMENT_SECONDS = 10


class SettingsError(Exception):
    """The file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Who is guarded, who is asked, and on which terms it opens."""

    own: str
    targets: tuple[Target, ...]
    """All servers, this one among them."""
    terms: Terms
    primary: PrimarySettings
    textfile: str | None = None

    @property
    def local(self) -> Login:
        """Return the login to this server."""
        return next(target.login for target in self.targets if target.name == self.own)


def read_settings(path: str) -> Settings:
    """Read the file."""
    try:
        with open(path, encoding="utf-8") as file:
            return _settings(json.load(file))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise SettingsError(
            f"{path} cannot be used: {type(exc).__name__}: {exc}. What to do: let the role primary_guard write it anew"
        ) from exc


def _settings(found: c.Mapping[str, t.Any]) -> Settings:
    own = str(found["name"])
    servers = found["servers"]
    if own not in [server["name"] for server in servers]:
        raise ValueError(f"{own} is none of the servers")
    durability = Durability(found["durability"]) if found["durability"] else None
    return Settings(
        own=own,
        targets=tuple(_target(server, found) for server in servers),
        terms=Terms(grace_seconds=float(found["grace_seconds"]), durability=durability),
        primary=PrimarySettings(
            durability=durability,
            replicas=len(servers) - 1,
            known_replicas=frozenset(server["host"] for server in servers),
            heartbeat_database=found["heartbeat_schema"],
        ),
        textfile=found["textfile"] or None,
    )


def _target(server: c.Mapping[str, t.Any], found: c.Mapping[str, t.Any]) -> Target:
    return Target(
        name=server["name"],
        addresses=frozenset({server["host"]}),
        login=_local(server, found) if server["name"] == found["name"] else _remote(server, found),
    )


def _local(server: c.Mapping[str, t.Any], found: c.Mapping[str, t.Any]) -> Login:
    """Get in as the user of the program, by the socket; the port is by what the others know this server."""
    return Login(
        unix_socket=found["unix_socket"],
        port=server["port"],
        user=found["local_user"],
        password="",
        connect_timeout=_CONNECT_SECONDS,
        statement_timeout=_STATEMENT_SECONDS,
    )


def _remote(server: c.Mapping[str, t.Any], found: c.Mapping[str, t.Any]) -> Login:
    return Login(
        host=server["host"],
        port=server["port"],
        user=found["operator_user"],
        password=found["operator_password"],
        ca_file=found["ca_file"],
        connect_timeout=_CONNECT_SECONDS,
        statement_timeout=_STATEMENT_SECONDS,
    )


__all__ = ("Settings", "SettingsError", "read_settings")
