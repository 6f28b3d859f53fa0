# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What UFW's files, the kernel and the open sessions of a host say: texts that can be read anywhere."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from .kernel import holds, runs
from .plan import FirewallState, Policies
from .rules import parse_rules
from .sessions import parse_interfaces, parse_ports, parse_sockets, session_of_environment

if t.TYPE_CHECKING:
    from .sessions import Session

DEFAULTS_FILE = "/etc/default/ufw"

_POLICIES = {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}
_AS_PACKAGED = Policies(incoming="deny", outgoing="allow", routed="deny")


class UfwError(Exception):
    """UFW, or what it stands on, is missing or does not do what it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A host's firewall and SSH sessions at one moment."""

    present: bool
    """Whether UFW is installed."""
    kernel_ipv6: bool
    switch: str = ""
    """The text of ``ufw.conf``."""
    defaults: str = ""
    """The text of ``/etc/default/ufw``."""
    rules: str = ""
    rules_ipv6: str = ""
    listing: str = ""
    """What ``iptables -S`` prints."""
    listing_ipv6: str = ""
    sshd: str = ""
    """The configuration of sshd, drop-ins included."""
    sockets: str = ""
    """What ``ss -Htanp`` prints."""
    connection: str = ""
    """``SSH_CONNECTION`` of the process that looked."""
    addresses: str = ""
    """What ``ip -o addr`` prints."""
    doubtful: bool = False
    """Whether rules are in force that nobody has confirmed yet, and that will go back by themselves."""

    @classmethod
    def from_result(cls, result: t.Mapping[str, t.Any]) -> Observation:
        return cls(**result)

    def as_result(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    def installed(self) -> bool:
        return self.present

    def unconfirmed(self) -> bool:
        return self.doubtful

    def state(self) -> FirewallState:
        if not self.present:
            return FirewallState(
                enabled=False, running=False, loaded=False, ipv6=self.kernel_ipv6, policies=_AS_PACKAGED, rules=()
            )
        defaults = assignments(self.defaults)
        families = (4, 6) if uses_ipv6(self.defaults, kernel=self.kernel_ipv6) else (4,)
        files = {4: self.rules, 6: self.rules_ipv6}
        listings = {4: self.listing, 6: self.listing_ipv6}
        rules = tuple(rule for family in families for rule in parse_rules(files[family]))
        policies = Policies(
            incoming=_policy(defaults, "DEFAULT_INPUT_POLICY"),
            outgoing=_policy(defaults, "DEFAULT_OUTPUT_POLICY"),
            routed=_policy(defaults, "DEFAULT_FORWARD_POLICY"),
        )
        running = all(runs(listings[family], family) for family in families)
        loaded = all(
            holds(
                listings[family],
                family,
                rules_file=files[family],
                rules=rules,
                incoming=policies.incoming,
                outgoing=policies.outgoing,
            )
            for family in families
        )
        return FirewallState(
            enabled=assignments(self.switch).get("ENABLED", "").lower() == "yes",
            running=running,
            loaded=running and loaded,
            ipv6=len(families) > 1,
            policies=policies,
            rules=rules,
        )

    def sessions(self) -> tuple[Session, ...]:
        return parse_sockets(self.sockets, parse_ports(self.sshd)) + session_of_environment(self.connection)

    def interfaces(self) -> dict[str, str]:
        return parse_interfaces(self.addresses)


def uses_ipv6(defaults: str, *, kernel: bool) -> bool:
    """Tell whether UFW writes rules for IPv6, too."""
    return kernel and assignments(defaults).get("IPV6", "").lower() == "yes"


def assignments(text: str) -> dict[str, str]:
    """Read lines of ``NAME=value`` or ``NAME="value"``."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _policy(defaults: t.Mapping[str, str], name: str) -> str:
    word = defaults.get(name, "").upper()
    if word not in _POLICIES:
        raise UfwError(f"{DEFAULTS_FILE}: {name} is {word!r}; write one of {', '.join(_POLICIES)}")
    return _POLICIES[word]


__all__ = ("DEFAULTS_FILE", "Observation", "UfwError", "assignments", "uses_ipv6")
