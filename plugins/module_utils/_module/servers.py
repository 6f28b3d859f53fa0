# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The servers of a topology as options, and how to get into each."""

from __future__ import annotations

import typing as t

from .._replication.topology import InvalidTopologyError
from .._sql.connection import Login
from .._sql.survey import Target

if t.TYPE_CHECKING:
    import collections.abc as c

SERVERS_OPTIONS: dict[str, dict[str, t.Any]] = {
    "servers": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "default": 3306},
            "addresses": {"type": "list", "elements": "str", "default": []},
        },
    },
    "login_user": {"type": "str", "required": True},
    "login_password": {"type": "str", "default": "", "no_log": True},
    "ca_file": {"type": "path"},
    "connect_timeout": {"type": "int", "default": 1},
}


def targets_of(params: c.Mapping[str, t.Any], *, statement_timeout: float) -> list[Target]:
    """Read the servers; each is there once, or a server would be asked twice and take part twice."""
    servers = params["servers"]
    names = [server["name"] for server in servers]
    if not names or len(set(names)) != len(names):
        raise InvalidTopologyError(f"Every server has to be listed exactly once: {', '.join(names) or 'none given'}")
    return [
        Target(
            name=server["name"],
            addresses=frozenset({server["host"], *server["addresses"]}),
            login=Login(
                host=server["host"],
                port=server["port"],
                user=params["login_user"],
                password=params["login_password"],
                ca_file=params["ca_file"],
                connect_timeout=params["connect_timeout"],
                statement_timeout=statement_timeout,
            ),
        )
        for server in servers
    ]


__all__ = ("SERVERS_OPTIONS", "targets_of")
