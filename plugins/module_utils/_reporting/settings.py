# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a host's report has to know, from a file that its role writes."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass

from .._replication.findings.finding import Policy
from .._sql.connection import Login
from .._sql.survey import Target

if t.TYPE_CHECKING:
    import collections.abc as c

_CONNECT_SECONDS = 1
_STATEMENT_SECONDS = 5


class SettingsError(Exception):
    """The file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the report goes and whom it is about."""

    directory: str
    """Of the textfile collector."""
    addresses: tuple[str, ...]
    """Those that this host may have for a while."""
    targets: tuple[Target, ...]
    """The database servers; none where the host has no part in them."""
    policy: Policy
    heartbeat_schema: str

    def file(self, name: str) -> str:
        return os.path.join(self.directory, f"{name}.prom")


def read_settings(path: str) -> Settings:
    """Read the file."""
    try:
        with open(path, encoding="utf-8") as file:
            return _settings(json.load(file))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise SettingsError(
            f"{path} cannot be used: {type(exc).__name__}: {exc}. What to do: let the role host_report write it anew"
        ) from exc


def _settings(found: c.Mapping[str, t.Any]) -> Settings:
    servers = found["servers"]
    return Settings(
        directory=found["directory"],
        addresses=tuple(found["addresses"]),
        targets=tuple(_target(server, found) for server in servers),
        policy=Policy(
            max_lag=int(found["max_lag"]),
            semi_sync_required=len(servers) > 1,
            max_heartbeat_age=float(found["max_heartbeat_age"]),
            longest_outage=int(found["longest_outage_hours"]) * 3600,
        ),
        heartbeat_schema=found["heartbeat_schema"],
    )


def _target(server: c.Mapping[str, t.Any], found: c.Mapping[str, t.Any]) -> Target:
    own = server["name"] == found["name"]
    login = Login(
        unix_socket=found["unix_socket"] if own else None,
        host=None if own else server["host"],
        port=int(server["port"]),
        user=found["local_user"] if own else found["operator_user"],
        password="" if own else found["operator_password"],
        ca_file=None if own else found["ca_file"],
        connect_timeout=_CONNECT_SECONDS,
        statement_timeout=_STATEMENT_SECONDS,
    )
    return Target(name=server["name"], addresses=frozenset({server["host"]}), login=login)


__all__ = ("Settings", "SettingsError", "read_settings")
