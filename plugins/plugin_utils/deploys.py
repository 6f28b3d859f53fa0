# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which steps web servers get a release, and which balancers are told."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OWN_REASON = re.compile(r"(deploy|rollback|restart_web|site): ")
"""How the reason begins for which these playbooks take a server out: one that was killed has left it there."""
_SHARE = re.compile(r"([0-9]{1,3})%")
WHOLE = 100


class BatchError(ValueError):
    """Servers cannot be divided like this."""


def batches(servers: Sequence[str], serial: t.Any) -> list[list[str]]:
    """Divide servers into those that are done at the same time: a number, a share, or a list of these.

    The last of a list holds for all that are left, so that [1, 50%] begins with one alone.
    """
    sizes = [_size(each, len(servers)) for each in (serial if isinstance(serial, list) else [serial])]
    if not sizes:
        raise BatchError("deploy_serial: the list is empty; give for example 1, or [1, 50%]")
    divided: list[list[str]] = []
    left = list(servers)
    while left:
        size = sizes[min(len(divided), len(sizes) - 1)]
        divided.append(left[:size])
        left = left[size:]
    return divided


def _size(serial: t.Any, count: int) -> int:
    text = str(serial).strip()
    share = _SHARE.fullmatch(text)
    if share and 0 < int(share[1]) <= WHOLE:
        return max(1, count * int(share[1]) // WHOLE)
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise BatchError(
        f"deploy_serial: {serial!r} is no number of servers; give for example 1, 25%, or a list like [1, 50%]"
    )


def balancers_to_tell(pools: Mapping[str, Mapping[str, t.Any]], server: str) -> list[dict[str, t.Any]]:
    """Return the balancers that send requests to a server, and the weight that somebody has set for it there.

    A server that somebody else has taken out is not theirs to put back. One that a killed run has left out is.
    """
    told = []
    for balancer, pool in pools.items():
        override = pool["overrides"].get(server)
        left = override is not None and _is_ours(override)
        if override is None or left or not _taken_out(override):
            told.append({"balancer": balancer, "weight": override["weight"] if override else None, "left": left})
    return told


def complaints(
    pools: Mapping[str, Mapping[str, t.Any]],
    servers: Sequence[str],
    balancers: Sequence[str],
    *,
    outage_allowed: bool = False,
) -> list[str]:
    """Say why no server should be taken out now."""
    silent = [
        f"{balancer} has not said how its servers are (does --limit leave it out?)"
        for balancer in balancers
        if balancer not in pools
    ]
    down = [
        f"{balancer} finds {seen['name']} down"
        for balancer, pool in pools.items()
        for seen in pool["servers"]
        if seen["name"] in servers and seen["up"] is False and not _taken_out(pool["overrides"].get(seen["name"]))
    ]
    alone = [
        f"{balancer} has nobody beside {answering[0]} to answer"
        for balancer, pool in pools.items()
        if len(answering := _answering(pool)) == 1 and answering[0] in servers
    ]
    return silent + down + ([] if outage_allowed else alone)


def _answering(pool: Mapping[str, t.Any]) -> list[str]:
    """Return who answers, or will once a run that was killed has been finished."""
    out = {name for name, override in pool["overrides"].items() if _taken_out(override) and not _is_ours(override)}
    return [seen["name"] for seen in pool["servers"] if seen["up"] is not False and seen["name"] not in out]


def _taken_out(override: Mapping[str, t.Any] | None) -> bool:
    return override is not None and (override["state"] != "ready" or override["weight"] == 0)


def _is_ours(override: Mapping[str, t.Any]) -> bool:
    return OWN_REASON.match(override.get("reason") or "") is not None


def status_lines(hosts: Mapping[str, Mapping[str, t.Any]]) -> list[str]:
    """Draw what each web server runs, what it can go back to, and who deploys."""
    lines = ["web servers"]
    for number, (name, seen) in enumerate(hosts.items(), 1):
        last = number == len(hosts)
        lines.append(f"{'└─' if last else '├─'} {name}  {_words(seen)}")
        trunk = "   " if last else "│  "
        leaves = [_release_words(release, seen) for release in seen.get("releases", [])]
        leaves += [f"{left}  incomplete, removed by the next deploy" for left in seen.get("incomplete", [])]
        lock = seen.get("lock")
        if lock:
            why = f": {lock['reason']}" if lock["reason"] else ""
            leaves.append(f"locked by {lock['requested_by']} for {lock['verb']} since {lock['since']}{why}")
        lines += [f"{trunk}{'└─' if leaf is leaves[-1] else '├─'} {leaf}" for leaf in leaves]
    return lines


def _words(seen: Mapping[str, t.Any]) -> str:
    if "current" not in seen:
        return "does not answer"
    return f"runs {seen['current']}" if seen["current"] else "runs no release"


def _release_words(release: Mapping[str, t.Any], seen: Mapping[str, t.Any]) -> str:
    mark = {seen["current"]: "current", seen["previous"]: "previous"}.get(release["id"], "kept")
    parts = [mark, release["at"], f"by {release['by']}" if release["by"] else ""]
    if release["revision"] and not release["revision"].startswith(release["id"]):
        parts.append(f"revision {release['revision']}")
    return f"{release['id']}  {', '.join(part for part in parts if part)}"


__all__ = ("BatchError", "balancers_to_tell", "batches", "complaints", "status_lines")
