# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with an inventory and its hosts, found before anything is changed."""

from __future__ import annotations

import difflib
import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import GREATEST_WEIGHT
from ansible_collections.webinfra.stack.plugins.plugin_utils.flows import FlowError, matrix
from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_hosts import DEFAULT_WEIGHT

STACK_PREFIX = "webinfra_"
COUNTS = ("max_connections", "slow_start")
HOST_VARIABLES = ("weight", "backup", "internal_address", *COUNTS)
"""Variables of a host that have no prefix, so that only near misses of them can be told from other people's."""

SUPPORTED: t.Mapping[str, tuple[str, ...]] = {"Debian": ("12", "13"), "Ubuntu": ("22.04", "24.04", "26.04")}
ENGINES_OF_DEBIAN = ("mariadb",)
"""Engines that the archives of the supported Debian releases have; those of Ubuntu have both."""

_TRUTHS = frozenset({"yes", "no", "true", "false", "on", "off", "1", "0"})
_MAY_HOLD_A_SECRET = re.compile("password|secret|token|private_key|account")
_NOT_FOR_PEOPLE = ("ansible_", "molecule_", "__")
_NEAR_HOST_VARIABLE, _NEAR_ROLE_VARIABLE = 0.8, 0.9
"""How alike two names must be. Short names need less: one swapped pair of letters is a larger part of them."""

Options = t.Mapping[str, t.Mapping[str, t.Any]]
"""The options of a role, as its argument_specs.yml has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    where: str
    """A host, several hosts or a part of the inventory; empty until it is known which hosts share a variable."""
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What the inventory says of a host, as it stands there."""

    name: str
    groups: frozenset[str] = frozenset()
    internal_address: t.Any = None
    ansible_host: t.Any = None
    weight: t.Any = DEFAULT_WEIGHT
    backup: t.Any = False
    max_connections: t.Any = 0
    slow_start: t.Any = 0

    @property
    def address(self) -> str:
        """Where the other hosts reach it."""
        return str(self.internal_address or self.ansible_host or self.name)

    @property
    def label(self) -> str:
        """Its name, and where Ansible reaches it."""
        return self.name if self.ansible_host in (None, self.name) else f"{self.name} ({self.ansible_host})"

    @property
    def share(self) -> int | None:
        """The weight as a number, or None when it is none."""
        text = str(self.weight)
        if isinstance(self.weight, (bool, float)) or not (text.isascii() and text.isdigit()):
            return None
        return int(text) if int(text) <= GREATEST_WEIGHT else None

    @property
    def stands_by(self) -> bool | None:
        """Whether it is a backup server, or None when that is neither true nor false."""
        text = str(self.backup).strip().lower()
        return text in {"yes", "true", "on", "1"} if text in _TRUTHS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    group: str
    noun: str
    hosts: t.Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interfaces:
    """The variables that the roles of this collection know."""

    roles: t.Mapping[str, Options]
    stack: Options
    """The variables that begin with ``webinfra_``; without any, that prefix is not looked at."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(HOST_VARIABLES).union(*(options for _owner, options in self.owners()))

    def owners(self) -> list[tuple[str, Options]]:
        """Return each role, and the stack as a whole, with its options."""
        return [*((f"the role {role}", options) for role, options in self.roles.items()), ("the stack", self.stack)]

    def options_of(self, role: str) -> Options:
        if role not in self.roles:
            raise UnknownRoleError(
                f"preflight_roles: there is no role {role!r} in this collection; it has {', '.join(self.roles)}"
            )
        return self.roles[role]

    def prefix_of(self, variable: str) -> str | None:
        """Return the longest of our prefixes that the variable has."""
        prefixes = [f"{role}_" for role in self.roles] + [STACK_PREFIX] * bool(self.stack)
        return max((prefix for prefix in prefixes if variable.startswith(prefix)), key=len, default=None)


class UnknownRoleError(ValueError):
    """A role that this collection does not have."""


def check_tiers(tiers: t.Iterable[Tier]) -> list[Finding]:
    """Find the tiers without a host."""
    return [
        Finding(
            where="inventory",
            what=f"there is no {tier.noun}: the group {tier.group} has no host",
            remedy=f"put at least one host into the group {tier.group}",
        )
        for tier in tiers
        if not tier.hosts
    ]


def check_servers(servers: t.Sequence[Member], group: str) -> list[Finding]:
    """Find weights and backups that balance nothing."""
    findings = [
        Finding(
            where=server.name,
            what=f"weight {server.weight!r} is not a whole number from 0 to {GREATEST_WEIGHT}",
            remedy="write for example weight: 3; 0 takes the server out",
        )
        for server in servers
        if server.share is None
    ]
    findings += [
        Finding(
            where=server.name,
            what=f"backup {server.backup!r} is neither true nor false",
            remedy="write backup: true for a server that stands by, or leave it out",
        )
        for server in servers
        if server.stands_by is None
    ]
    findings += [
        Finding(
            where=server.name,
            what=f"{name} {getattr(server, name)!r} is not a whole number",
            remedy=f"write for example {name}: 20; 0 is none",
        )
        for server in servers
        for name in COUNTS
        if not (str(getattr(server, name)).isascii() and str(getattr(server, name)).isdigit())
    ]
    if findings or not servers:
        return findings
    active = [server for server in servers if not server.stands_by]
    if not active:
        what = f"every web server is a backup ({_listed(servers)}), so none would be asked first"
        return [Finding(where=f"group {group}", what=what, remedy="take backup: true from at least one of them")]
    if not any(server.share for server in active):
        what = f"the weight of every web server that is not a backup is 0 ({_listed(active)}), so none would be asked"
        return [Finding(where=f"group {group}", what=what, remedy="give at least one of them a weight above 0")]
    return []


def check_addresses(members: t.Sequence[Member]) -> list[Finding]:
    """Find hosts without an IP address of their own."""
    findings: list[Finding] = []
    owners: dict[str, list[str]] = {}
    for member in members:
        try:
            address = ipaddress.ip_address(member.address)
        except ValueError:
            what = f"its address {member.address!r} is not an IP address; firewall rules and database accounts need one"
        else:
            if not (address.is_unspecified or address.is_loopback or address.is_multicast):
                owners.setdefault(str(address), []).append(member.name)
                continue
            what = f"its address {member.address} cannot be reached from other hosts"
        remedy = (
            "set ansible_host, or internal_address where the hosts reach each other by another way, to its IP address"
        )
        findings.append(Finding(where=member.name, what=what, remedy=remedy))
    findings += [
        Finding(
            where=" and ".join(names),
            what=f"they have the same address {address}",
            remedy="correct ansible_host or internal_address; a host that has two jobs is one host in two groups",
        )
        for address, names in owners.items()
        if len(names) > 1
    ]
    return findings


def check_flows(flows: t.Sequence[t.Mapping[str, t.Any]], members: t.Sequence[Member]) -> list[Finding]:
    """Find what cannot be used in the flow matrix."""
    hosts = [{"name": member.name, "address": member.address, "groups": member.groups} for member in members]
    try:
        matrix(flows, hosts)
    except FlowError as exc:
        remedy = "correct it where you add to the flow matrix"
        return [Finding(where="flow matrix", what=str(exc), remedy=remedy)]
    return []


def check_names(
    variables: t.Iterable[str], interfaces: Interfaces, foreign: t.Collection[str] = ()
) -> dict[str, Finding]:
    """Find variables that look like ours and are none; those in ``foreign`` are known to be somebody else's."""
    names = interfaces.names
    findings = {}
    for variable in variables:
        if variable in names or variable in foreign or variable.startswith(_NOT_FOR_PEOPLE):
            continue
        prefix = interfaces.prefix_of(variable)
        suggestion = _suggestion(variable, names, prefix)
        if prefix is None and suggestion is None:
            continue
        meant = f" (did you mean {suggestion}?)" if suggestion else ""
        remedy = "correct its name, or add it to preflight_known_variables when it is not for this collection"
        findings[variable] = Finding(where="", what=f"unknown variable {variable}{meant}", remedy=remedy)
    return findings


def check_value(variable: str, option: t.Mapping[str, t.Any], value: t.Any, owner: str) -> Finding | None:
    """Find what a role would refuse in the value of one of its variables."""
    if option.get("required") and value in (None, ""):
        return Finding(where="", what=f"{variable} is empty, and {owner} needs it", remedy=f"set {variable}")
    if option.get("no_log") and value in (None, ""):
        remedy = f"set {variable}, or leave it out and one is generated"
        return Finding(where="", what=f"{variable} is empty: a password that is given must be one", remedy=remedy)
    errors = ArgumentSpecValidator({variable: dict(option)}).validate({variable: value}).error_messages
    if not errors:
        return None
    what = f"{variable}: {'; '.join(errors)}"
    if _MAY_HOLD_A_SECRET.search(variable):
        what = f"{variable} is not what {owner} accepts (its value may be a secret and is not shown)"
    return Finding(where="", what=what, remedy=f"correct {variable}")


def broken_value(variable: str, error: str) -> Finding:
    """Say that a variable cannot be computed."""
    what = f"{variable} cannot be computed: {' '.join(error.split())}"
    return Finding(where="", what=what, remedy=f"correct what {variable} is made of")


def missing_value(variable: str, role: str, host: str) -> Finding:
    """Say that a role needs a variable that nobody set."""
    remedy = f"set {variable}, in a vault if it is a secret; ansible-doc -t role webinfra.stack.{role} describes it"
    return Finding(where=host, what=f"{variable} is not set, and the role {role} needs it", remedy=remedy)


def check_distribution(host: str, distribution: str, version: str, *, allow_untested: bool) -> list[Finding]:
    """Find a distribution that nobody has tried; ``version`` is ``13``, ``24.04``, or for a Debian to come ``n/a``."""
    if allow_untested or is_supported(distribution, version):
        return []
    supported = ", ".join(f"{name} {number}" for name, numbers in SUPPORTED.items() for number in numbers)
    return [
        Finding(
            where=host,
            what=f"it runs {distribution} {version}, which is not supported; supported are {supported}",
            remedy="use one of these, or set preflight_allow_untested: true to try it at your own risk",
        )
    ]


def check_engine(host: str, engine: str, distribution: str, version: str) -> list[Finding]:
    """Find a database engine that the distribution does not have."""
    if distribution != "Debian" or not is_supported(distribution, version) or engine in ENGINES_OF_DEBIAN:
        return []
    return [
        Finding(
            where=host,
            what=f"Debian {version} has no package of the database engine {engine}",
            remedy=f"set database_engine: {ENGINES_OF_DEBIAN[0]}, or use Ubuntu for the database servers",
        )
    ]


def is_supported(distribution: str, version: str) -> bool:
    return version in SUPPORTED.get(distribution, ())


def check_facts(host: Member, facts: t.Mapping[str, t.Any]) -> list[Finding]:
    """Find out from the result of ``setup`` whether Ansible can work on the host."""
    words = " ".join(str(facts.get("msg", "")).removeprefix("Task failed: ").split())
    if facts.get("unreachable"):
        return [
            Finding(
                where=host.label,
                what=f"it does not answer: {words}",
                remedy="check that it is up, and that ssh logs in there as ansible_user without asking for anything; "
                f"--limit '!{host.name}' leaves it out",
            )
        ]
    if "ansible_facts" not in facts:
        return [
            Finding(
                where=host.label,
                what=f"Ansible logs in, and cannot work there: {words}",
                remedy="install python3 on it, and let ansible_user use sudo without a password (or run with -K)",
            )
        ]
    return []


def report(findings: t.Sequence[Finding]) -> str:
    """Return all findings for people."""
    count = "1 problem" if len(findings) == 1 else f"{len(findings)} problems"
    lines = [f"{count}; nothing was changed:"]
    for finding in findings:
        lines += [f"- {finding.where}: {finding.what}", f"  → {finding.remedy}"]
    return "\n".join(lines)


def _suggestion(variable: str, names: t.Collection[str], prefix: str | None) -> str | None:
    if prefix is not None:
        # What they have in common says nothing about what was meant.
        ours = sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))
        close = difflib.get_close_matches(variable.removeprefix(prefix), ours, n=1)
        return prefix + close[0] if close else None
    close = difflib.get_close_matches(variable, HOST_VARIABLES, n=1, cutoff=_NEAR_HOST_VARIABLE)
    close = close or difflib.get_close_matches(variable, sorted(names), n=1, cutoff=_NEAR_ROLE_VARIABLE)
    return close[0] if close else None


def _listed(members: t.Iterable[Member]) -> str:
    return ", ".join(member.name for member in members)


__all__ = (
    "HOST_VARIABLES",
    "SUPPORTED",
    "Finding",
    "Interfaces",
    "Member",
    "Options",
    "Tier",
    "UnknownRoleError",
    "broken_value",
    "check_addresses",
    "check_distribution",
    "check_engine",
    "check_facts",
    "check_flows",
    "check_names",
    "check_servers",
    "check_tiers",
    "check_value",
    "is_supported",
    "missing_value",
    "report",
)
