# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Whether the kernel filters by what UFW's files say."""

from __future__ import annotations

import typing as t
from collections import Counter

from .rules import ANY

if t.TYPE_CHECKING:
    from .rules import UfwRule

_CHAINS = {4: "ufw", 6: "ufw6"}


def runs(listing: str, family: int) -> bool:
    """Tell from ``iptables -S`` whether UFW's chains are in the path of incoming packets."""
    prefix = _CHAINS[family]
    wanted = {
        f"-A INPUT -j {prefix}-before-input",
        f"-A {prefix}-before-input -j {prefix}-user-input",
    }
    return wanted <= set(listing.splitlines())


def holds(
    listing: str, family: int, *, rules_file: str, rules: t.Iterable[UfwRule], incoming: str, outgoing: str
) -> bool:
    """Tell whether the chains of users have what the file has: our rules word by word, all others by number.

    The kernel writes many a rule of others differently than UFW's file does, ours it does not.
    """
    prefix = _CHAINS[family]
    # iptables calls a protocol by its name or by its number, as its version likes.
    lines = {line.replace(" -p 112 ", " -p vrrp ") for line in listing.splitlines()}
    wanted = {_kernel_line(rule, prefix) for rule in rules if rule.ours and rule.family == family}
    wanted |= {_policy_line("INPUT", incoming), _policy_line("OUTPUT", outgoing)}
    return wanted <= lines and _sizes(listing, prefix) == _sizes(rules_file, prefix)


def _sizes(text: str, prefix: str) -> Counter[str]:
    chains = {f"{prefix}-user-{way}" for way in ("input", "output", "forward")}
    return Counter(
        words[1] for line in text.splitlines() if line.startswith("-A ") and (words := line.split())[1] in chains
    )


def _kernel_line(rule: UfwRule, prefix: str) -> str:
    source = f" -s {rule.source}" if rule.source.prefixlen else ""
    destination = f" -d {rule.destination}" if rule.destination.prefixlen else ""
    protocol = rule.protocol
    port = "" if rule.port == ANY else f" -m {protocol} --dport {rule.port}"
    return f"-A {prefix}-user-{rule.direction}put{source}{destination} -p {protocol}{port} -j ACCEPT"


def _policy_line(chain: str, policy: str) -> str:
    return f"-P {chain} {'ACCEPT' if policy == 'allow' else 'DROP'}"


__all__ = ("holds", "runs")
