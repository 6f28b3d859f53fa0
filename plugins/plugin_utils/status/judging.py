# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers to a verdict."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.findings import find_all, worst
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Host, Stack, Tier
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.seen import Answers, Seen, see
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.single_points import single_points_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.traffic import traffic_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.verdicts import sentence_on, verdict_on

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Finding
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.reading import Result


def judge(
    hosts: c.Sequence[Result],
    *,
    url: str,
    provider: str,
    engine: str,
    shared_address: str,
    release_link: str,
    certificates: t.Mapping[str, c.Sequence[Result]],
    surveys: Answers,
    balancers: Answers,
    databases: Answers,
    now: float,
) -> Stack:
    """Put what was answered on the hosts that it is about, and say how they are."""
    seen = see(
        hosts,
        shared_address=shared_address,
        release_link=release_link,
        certificates=certificates,
        surveys=surveys,
        balancers=balancers,
        databases=databases,
        now=now,
    )
    findings = find_all(seen)
    level = worst(findings)
    addresses = {host["name"]: host["address"] for host in hosts}
    judged = tuple(_host(name, address, seen, findings) for name, address in addresses.items())
    return Stack(
        created_at=dt.datetime.fromtimestamp(int(now), dt.timezone.utc).isoformat(),
        url=url,
        provider=provider,
        engine=engine,
        shared_address=shared_address or None,
        level=level,
        sentence=sentence_on(level, findings, judged),
        findings=tuple(findings),
        single_points=tuple(single_points_of(seen, addresses, url)),
        hosts=judged,
        traffic=tuple(traffic_of(seen)),
        links=seen.databases.links if seen.databases else (),
    )


def _host(name: str, address: str, seen: Seen, findings: c.Sequence[Finding]) -> Host:
    survey, tiers = seen.surveys[name], seen.tiers[name]
    own = [finding for finding in findings if finding.host == name]
    host = Host(
        name=name,
        address=address,
        tiers=tiers,
        level=worst(own),
        verdict="",
        reachable=survey.reachable,
        distribution=survey.distribution,
        firewall_active=survey.firewall_active,
        release=survey.release if Tier.WEB_SERVERS in tiers else None,
        stopped_units=survey.stopped_units,
        has_shared_address=survey.has_shared_address if Tier.LOAD_BALANCERS in tiers else None,
        certificates=survey.certificates,
        server=seen.servers.get(name) if Tier.WEB_SERVERS in tiers else None,
        database=seen.databases.servers.get(name) if seen.databases else None,
    )
    return dataclasses.replace(host, verdict=verdict_on(host, own, seen))


__all__ = ("judge",)
