# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What an operator does about the errors that replication threads stop with."""

from __future__ import annotations

import typing as t

from .status import LOGIN_ERRORS

if t.TYPE_CHECKING:
    from .status import EngineError

GONE_FROM_SOURCE = frozenset({1236, 13114})
"""What a source answers that has deleted what a replica needs, or never had what it has."""

_DIVERGED = (
    "the rows of this server and of its source differ: find who wrote here, then repair them, or have it seeded anew "
    "by ansible-playbook -i INVENTORY webinfra.stack.rejoin"
)
_GONE = (
    "the source no longer has the transactions that this server needs, or never had those that it has: "
    "ansible-playbook -i INVENTORY webinfra.stack.rejoin saves them and seeds it anew"
)
_UNREACHABLE = "check that the source is up, that its address and port are right and that no firewall is in between"
_ADVICE = {
    1032: _DIVERGED,
    1062: _DIVERGED,
    1146: _DIVERGED,
    1950: "this server has transactions of its own: find who wrote here, then "
    "ansible-playbook -i INVENTORY webinfra.stack.rejoin, which saves them and seeds it anew",
    **dict.fromkeys(GONE_FROM_SOURCE, _GONE),
    1593: "the source and this server must differ in server_id (on MySQL also in server_uuid)",
    2002: _UNREACHABLE,
    2003: _UNREACHABLE,
    2005: "the source's name does not resolve here: correct source_host or the resolver",
    2013: _UNREACHABLE,
    2026: "TLS failed: the source must offer it, with a certificate of source_ca_file that names source_host",
    2061: "the source wants a TLS link for this account: give source_ca_file",
}


def advice(error: EngineError | None) -> str:
    """Say what to do about an error of a replication thread."""
    if error is None:
        return "look into the server's error log, then run this again to start replication"
    if error.code in LOGIN_ERRORS:
        return (
            "check replication_user and replication_password, and that the source has this account for this host's "
            "address, with or without TLS as it is used here"
        )
    return _ADVICE.get(error.code, "look into the server's error log, remove the cause, then run this again")


def rejoining_command(server: str | None = None) -> str:
    """Name what brings a server back as a replica, whatever it has alone."""
    only = f" -e rejoin_host={server}" if server else ""
    return f"ansible-playbook -i INVENTORY webinfra.stack.rejoin{only}"


def fencing_command(server: str) -> str:
    """Name what closes a server that must not take writes."""
    return f"ansible -i INVENTORY {server} --become -m webinfra.stack.database_fence"


__all__ = ("GONE_FROM_SOURCE", "advice", "fencing_command", "rejoining_command")
