# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Weights become expected shares; who answered becomes observed ones."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import dataclass


class NoServerError(Exception):
    """No server may get requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancedServer:
    name: str
    weight: int
    backup: bool
    """Stands by while any other server may get requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of the requests a server should have answered, and how many it did."""

    name: str
    weight: int | None
    """None for one that answers and is not among the servers."""
    backup: bool
    expected: float
    observed: int

    def complaint(self, tolerance: int | None) -> str | None:
        """Say what is wrong with the share, if anything is; without a tolerance only who must not answer.

        Weighted round robin is not random: over any stretch of requests a server is off its share by less than one
        request for each process that counts a round of its own. A server without a share gets nothing at all, and
        one with a share of a whole request gets something.
        """
        if self.weight is None:
            return "unknown"
        if self.expected == 0:
            return "should stand by" if self.observed else None
        if tolerance is None:
            return None
        if self.observed == 0 and self.expected >= 1:
            return "missing"
        if abs(self.observed - self.expected) > tolerance:
            return "too many" if self.observed > self.expected else "too few"
        return None

    def as_result(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "weight": self.weight,
            "backup": self.backup,
            "expected": round(self.expected, 1),
            "observed": self.observed,
        }


def expected_shares(servers: t.Sequence[BalancedServer], requests: int) -> dict[str, float]:
    """Return how many of the requests each server should answer.

    Servers of weight 0 get none; backup servers get some only when nobody else does.
    """
    active = [server for server in servers if server.weight > 0 and not server.backup]
    active = active or [server for server in servers if server.weight > 0]
    total = sum(server.weight for server in active)
    if total == 0:
        raise NoServerError("no server has a weight above 0, so nobody may answer; give at least one server a weight")
    share = {server.name: requests * server.weight / total for server in active}
    return {server.name: share.get(server.name, 0.0) for server in servers}


def compare_shares(servers: t.Sequence[BalancedServer], answered: t.Sequence[str]) -> tuple[Share, ...]:
    """Hold who answered against the weights; names that are not among the servers come last."""
    expected = expected_shares(servers, len(answered))
    observed = collections.Counter(answered)
    known = [
        Share(
            name=server.name,
            weight=server.weight,
            backup=server.backup,
            expected=expected[server.name],
            observed=observed.pop(server.name, 0),
        )
        for server in servers
    ]
    strangers = [
        Share(name=name, weight=None, backup=False, expected=0.0, observed=count)
        for name, count in sorted(observed.items())
    ]
    return (*known, *strangers)


def share_table(shares: t.Sequence[Share], tolerance: int | None) -> str:
    """Lay the shares out for an operator, with a word behind each that is off."""
    rows = [("server", "weight", "expected", "observed", "")]
    rows += [_row(share, tolerance) for share in shares]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(share: Share, tolerance: int | None) -> tuple[str, str, str, str, str]:
    complaint = share.complaint(tolerance)
    return (
        share.name,
        "-" if share.weight is None else f"{share.weight}{' (backup)' if share.backup else ''}",
        f"{share.expected:.4g}",
        str(share.observed),
        f"<- {complaint}" if complaint else "",
    )


__all__ = ("BalancedServer", "NoServerError", "Share", "compare_shares", "expected_shares", "share_table")
