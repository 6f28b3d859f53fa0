# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a host in a few words, and on the stack in one sentence."""

from __future__ import annotations

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Level, Tier

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Finding, Host
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.seen import Seen

OPENINGS = {
    Level.WELL: "All is well",
    Level.WARNING: "It works, and not as it should",
    Level.CRITICAL: "Something is broken",
}


def verdict_on(host: Host, findings: c.Sequence[Finding], seen: Seen) -> str:
    """Name the worst of what is wrong with a host, else what it does."""
    if not host.reachable:
        return "unreachable"
    return findings[0].name.replace("_", " ") if findings else _calm_verdict(host, seen)


def _calm_verdict(host: Host, seen: Seen) -> str:
    """Say what a host does of which nothing is wrong."""
    if host.database is not None:
        return _database_verdict(host.name, host.database.role, seen)
    if host.server is not None:
        return "stands by" if host.server.backup else "answers"
    if host.has_shared_address is not None:
        return "has the address" if host.has_shared_address else "stands by"
    return "balances" if Tier.LOAD_BALANCERS in host.tiers else "runs"


def _database_verdict(name: str, role: str, seen: Seen) -> str:
    if role == "primary":
        return "takes writes"
    databases = seen.databases
    link = next((link for link in databases.links if link.replica == name), None) if databases else None
    if databases is None or link is None:
        return "follows nobody"
    if not link.running:
        return "waits for its source"
    source = databases.servers.get(link.source)
    return "follows the primary" if source and source.role == "primary" else "follows another server"


def sentence_on(level: Level, findings: c.Sequence[Finding], hosts: c.Sequence[Host]) -> str:
    """Say it in one sentence, the worst first."""
    if findings:
        first, more = findings[0], len(findings) - 1
        subject = f"{first.host}: " if first.host else ""
        rest = f", and {more} more finding{'' if more == 1 else 's'}" if more else ""
        return f"{OPENINGS[level]}: {subject}{first.reason.rstrip('.')}{rest}."
    servers = sum(host.server is not None and host.server.answers for host in hosts)
    primary = next((host.name for host in hosts if host.database and host.database.role == "primary"), None)
    replicas = sum(host.database is not None and host.database.role == "replica" for host in hosts)
    said = [f"{servers} web server{' answers' if servers == 1 else 's answer'}"]
    said += [f"{primary} takes writes"] if primary else []
    said += [f"{replicas} replica{' follows' if replicas == 1 else 's follow'}"] if replicas else []
    return f"{OPENINGS[level]}: {', '.join(said)}."


__all__ = ("sentence_on", "verdict_on")
