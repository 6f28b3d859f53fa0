# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import (
    Observation,
    UfwError,
    uses_ipv6,
)

DEFAULTS = """
IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
# a comment
"""


def test_a_host_without_ufw_has_a_firewall_that_is_off():
    state = Observation(present=False, kernel_ipv6=True).state()
    assert (state.enabled, state.running, state.ipv6, state.rules) == (False, False, True, ())


def test_a_firewall_that_is_switched_on_and_not_in_the_kernel_does_not_run():
    state = Observation(present=True, kernel_ipv6=False, switch="ENABLED=yes\n", defaults=DEFAULTS).state()
    assert (state.enabled, state.running, state.ipv6) == (True, False, False)


@pytest.mark.parametrize(
    ("defaults", "kernel", "used"),
    [(DEFAULTS, True, True), (DEFAULTS, False, False), ("IPV6=no\n", True, False)],
    ids=["both", "not in the kernel", "not in UFW"],
)
def test_ipv6_takes_the_kernel_and_ufw(defaults, kernel, used):
    assert uses_ipv6(defaults, kernel=kernel) is used


def test_an_unknown_policy_is_refused_with_its_file():
    with pytest.raises(UfwError, match="/etc/default/ufw: DEFAULT_INPUT_POLICY is 'MAYBE'"):
        Observation(present=True, kernel_ipv6=False, defaults="DEFAULT_INPUT_POLICY=MAYBE").state()


def test_an_observation_survives_the_way_through_a_result():
    seen = Observation(present=True, kernel_ipv6=True, defaults=DEFAULTS, connection="10.0.0.1 40000 10.0.0.2 22")
    assert Observation.from_result(seen.as_result()) == seen
    assert [str(session.peer) for session in seen.sessions()] == ["10.0.0.1"]
