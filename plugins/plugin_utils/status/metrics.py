# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stack as Prometheus text, for the textfile collector of node-exporter."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._replication.prometheus import family

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.prometheus import Sample
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Stack

_PREFIX = "webinfra_status_"


def metrics_of(stack: Stack) -> str:
    """Return every figure, also those that are 0: an alert can tell that from a missing one."""
    moment = dt.datetime.fromisoformat(stack.created_at).timestamp()
    counted = dict.fromkeys(("critical", "warning"), 0)
    for finding in stack.findings:
        counted[finding.level.value] += 1
    metrics: list[tuple[str, str, c.Iterable[Sample]]] = [
        ("created_timestamp_seconds", "When this was seen.", [({}, moment)]),
        ("level", "How the stack is: 0 well, 1 warning, 2 critical.", [({}, stack.level.rank)]),
        ("findings", "Findings by level.", [({"level": level}, number) for level, number in counted.items()]),
        ("finding_info", "Each finding.", _findings(stack)),
        ("host_reachable", "Whether a host answers.", [({"host": h.name}, h.reachable) for h in stack.hosts]),
        ("host_level", "How a host is.", [({"host": h.name}, h.level.rank) for h in stack.hosts]),
        ("firewall_active", "Whether a host's firewall is active.", _firewalls(stack)),
        ("server_share", "Part of all requests that a server was sent.", _shares(stack)),
        ("certificate_days_left", "Days until a certificate ends.", _certificates(stack)),
        ("lag_seconds", "How far a replica is behind its source.", _links(stack, "lag_seconds")),
        ("transactions_behind", "Transactions that a replica lacks.", _links(stack, "transactions_behind")),
        ("single_point_of_failure", "A host without which requests fail.", _single_points(stack)),
    ]
    return "".join(family(f"{_PREFIX}{name}", words, samples) for name, words, samples in metrics)


def _findings(stack: Stack) -> t.Iterator[Sample]:
    found = {(f.name, f.level.value, f.host or "") for f in stack.findings}
    for name, level, host in sorted(found):
        yield {"name": name, "level": level, "host": host}, 1


def _firewalls(stack: Stack) -> t.Iterator[Sample]:
    for host in stack.hosts:
        if host.firewall_active is not None:
            yield {"host": host.name}, host.firewall_active


def _shares(stack: Stack) -> t.Iterator[Sample]:
    for traffic in stack.traffic:
        if traffic.source is not None and traffic.measured:
            yield {"balancer": traffic.source, "server": traffic.target}, round(traffic.share, 4)


def _certificates(stack: Stack) -> t.Iterator[Sample]:
    for host in stack.hosts:
        for certificate in host.certificates:
            if certificate.days_left is not None:
                yield {"host": host.name, "name": certificate.names[0]}, certificate.days_left


def _links(stack: Stack, field: str) -> t.Iterator[Sample]:
    for link in stack.links:
        value = getattr(link, field)
        if value is not None:
            yield {"source": link.source, "replica": link.replica}, value


def _single_points(stack: Stack) -> t.Iterator[Sample]:
    for point in stack.single_points:
        yield {"tier": point.tier.value, "host": point.host}, 1


__all__ = ("metrics_of",)
