# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What came back from asking a balancer many times."""

from __future__ import annotations

import statistics
import typing as t
from dataclasses import dataclass, field, replace

from .shares import share_table

if t.TYPE_CHECKING:
    from .shares import Share

KEPT_VALUES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    request: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    servers: tuple[str, ...] = ()
    """Who answered, in order."""
    failures: tuple[Failure, ...] = ()
    latencies: tuple[float, ...] = ()
    headers: t.Mapping[str, frozenset[str]] = field(default_factory=dict)

    def with_failure(self, request: int, reason: str) -> Tally:
        return replace(self, failures=(*self.failures, Failure(request=request, reason=reason)))

    def with_answer(
        self, request: int, headers: t.Mapping[str, str], milliseconds: float, *, server_header: str
    ) -> Tally:
        """Count an answer; ``headers`` have names in lower case."""
        server = headers.get(server_header.lower())
        if server is None:
            return self.with_failure(request, f"answered without the header {server_header}: by another program?")
        return replace(
            self,
            servers=(*self.servers, server),
            latencies=(*self.latencies, milliseconds),
            headers=_widened(self.headers, headers),
        )

    def complaints(self, shares: t.Sequence[Share], *, url: str, tolerance: int | None) -> str:
        """Say all that is wrong, or nothing."""
        lines = [f"request {failure.request}: {failure.reason}" for failure in self.failures]
        if lines:
            lines = [f"Not every request to {url} was answered with 200:", *lines]
        if any(share.complaint(tolerance) for share in shares) and self.servers:
            within = "" if tolerance is None else f" (tolerance {tolerance})"
            lines += [
                f"{len(self.servers)} answers from {url} do not follow the weights{within}.",
                "Look at the state of the servers at the load balancer, and at their own health:",
                share_table(shares, tolerance),
            ]
        return "\n".join(lines)

    def as_result(self) -> dict[str, t.Any]:
        return {
            "failures": [{"request": failure.request, "reason": failure.reason} for failure in self.failures],
            "latency": {
                "median": round(statistics.median(self.latencies), 1) if self.latencies else None,
                "maximum": round(max(self.latencies), 1) if self.latencies else None,
            },
            "observed_headers": {name: sorted(values) for name, values in sorted(self.headers.items())},
        }


def _widened(known: t.Mapping[str, frozenset[str]], headers: t.Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Add what an answer says of itself; a header that differs in every answer does not grow without end."""
    widened = dict(known)
    for name, value in headers.items():
        values = widened.get(name, frozenset())
        if name.startswith("x-") and len(values) < KEPT_VALUES:
            widened[name] = values | {value}
    return widened


__all__ = ("Failure", "Tally")
