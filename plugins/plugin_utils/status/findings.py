# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with hosts and tiers. What is wrong with replication says M(webinfra.stack.replication_check)."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Finding, Level, Tier

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.reading import Survey
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.seen import Seen

RENEWAL_DAYS = 14
"""Who renews does so a month before the end; this late it has failed for two weeks."""
VERIFY = "run webinfra.stack.verify, which says why"


def find_all(seen: Seen) -> list[Finding]:
    """Return the findings, the worst of them first; among equals the stack's come before a host's."""
    named = {finding.host for finding in _of_databases(seen) if finding.name == "server_unreachable"}
    found = [
        *_of_entrance(seen),
        *_of_pool(seen),
        *_of_databases(seen),
        *(
            finding
            for name, survey in seen.surveys.items()
            for finding in _of_host(name, survey, seen)
            if finding.name != "unreachable" or name not in named
        ),
        *_of_releases(seen),
    ]
    return sorted(found, key=lambda finding: (-finding.level.rank, not _concerns_all(finding)))


def _concerns_all(finding: Finding) -> bool:
    return finding.host is None or finding.name in {"no_primary", "two_primaries"}


def _of_entrance(seen: Seen) -> t.Iterator[Finding]:
    """Find what keeps clients from getting in."""
    for name, why in seen.silent_balancers.items():
        if seen.reachable(name):
            yield _warning("balancer_silent", name, f"its balancer does not answer: {why}", "run webinfra.stack.site")
    if not seen.balancers:
        reason = "no load balancer answers, so nobody knows whether requests get in"
        yield _critical("no_balancer", None, reason, "start a host of the group load_balancers, or its balancer")
        return
    if not seen.shared_address:
        return
    having = [name for name in seen.balancers if seen.surveys[name].has_shared_address]
    if len(having) != 1:
        where = " and ".join(having) or "no load balancer that answers"
        action = "read journalctl --unit virtual-ip --unit virtual-ip-check on a load balancer"
        yield _critical("shared_address", None, f"{seen.shared_address} is on {where}", action)


def _of_pool(seen: Seen) -> t.Iterator[Finding]:
    """Find the servers that get no requests."""
    if seen.balancers and not any(server.answers for server in seen.servers.values()):
        reason = "no web server answers, so every request fails"
        yield _critical("no_web_server", None, reason, "start a host of the group web_servers, or its application")
    for name, server in seen.servers.items():
        if server.override and server.state != "ready":
            reason = f"it was taken out of the pool, {server.override}"
            yield _warning("taken_out", name, reason, f"run webinfra.stack.ready -e host={name} when it is fit")
        elif server.up is False and seen.reachable(name):
            reason = "it does not answer its balancer"
            yield _warning("server_down", name, reason, "look into its application's journal")


def _of_databases(seen: Seen) -> t.Iterator[Finding]:
    if seen.databases is not None:
        yield from seen.databases.findings
    elif seen.of_tier(Tier.DB_SERVERS):
        reason = "no database host could ask the databases, so nobody knows whether writes get through"
        yield _critical("databases_unknown", None, reason, VERIFY)


def _of_host(name: str, survey: Survey, seen: Seen) -> t.Iterator[Finding]:
    """Find what is wrong with a host itself."""
    if not survey.reachable:
        level = Level.CRITICAL if set(seen.tiers[name]) & _dead_tiers(seen) else Level.WARNING
        reason, action = f"it does not answer over SSH: {survey.problem}", "start it, or repair its network"
        yield Finding(name="unreachable", level=level, host=name, reason=reason, action=action)
        return
    if survey.problem:
        yield _warning("not_surveyed", name, f"it could not be looked at: {survey.problem}", VERIFY)
    for unit in survey.stopped_units:
        yield _warning("unit_stopped", name, f"{unit} does not run", f"read journalctl --unit {unit} there")
    if survey.firewall_active is False:
        yield _warning("firewall_off", name, "its firewall is not active", "run webinfra.stack.site --tags firewall")
    for certificate in survey.certificates:
        yield from _of_certificate(name, certificate.names[0], certificate.days_left)


def _dead_tiers(seen: Seen) -> set[Tier]:
    """Return the tiers of which nobody answers."""
    if not seen.balancers:
        return {Tier.LOAD_BALANCERS}
    return set() if any(server.answers for server in seen.servers.values()) else {Tier.WEB_SERVERS}


def level_of_certificate(days_left: int | None) -> Level:
    """Judge a certificate; one that cannot be read may still serve, and nobody knows."""
    if days_left is not None and days_left < 0:
        return Level.CRITICAL
    return Level.WARNING if days_left is None or days_left < RENEWAL_DAYS else Level.WELL


def _of_certificate(host: str, name: str, days_left: int | None) -> t.Iterator[Finding]:
    action = "look at who renews it"
    if days_left is None:
        yield _warning("certificate_unreadable", host, f"the certificate for {name} cannot be read", action)
    elif level_of_certificate(days_left) is Level.CRITICAL:
        yield _critical("certificate_expired", host, f"the certificate for {name} has expired", action)
    elif level_of_certificate(days_left) is Level.WARNING:
        reason = f"the certificate for {name} ends in {days_left} day{'' if days_left == 1 else 's'}"
        yield _warning("certificate_ends", host, reason, action)


def _of_releases(seen: Seen) -> t.Iterator[Finding]:
    """Find the servers that run another release than most."""
    releases = {name: seen.surveys[name].release for name in seen.of_tier(Tier.WEB_SERVERS)}
    known = {name: release for name, release in releases.items() if release}
    counted = collections.Counter(known.values())
    if len(counted) < 2:  # noqa: PLR2004 - two are one too many
        return
    usual = counted.most_common(1)[0][0]
    for name, release in known.items():
        if release != usual:
            yield _warning("release_differs", name, f"it runs {release}, others {usual}", "run webinfra.stack.site")


def _critical(name: str, host: str | None, reason: str, action: str) -> Finding:
    return Finding(name=name, level=Level.CRITICAL, host=host, reason=reason, action=action)


def _warning(name: str, host: str | None, reason: str, action: str) -> Finding:
    return Finding(name=name, level=Level.WARNING, host=host, reason=reason, action=action)


def worst(findings: c.Iterable[Finding]) -> Level:
    return max((finding.level for finding in findings), key=lambda level: level.rank, default=Level.WELL)


__all__ = ("find_all", "level_of_certificate", "worst")
