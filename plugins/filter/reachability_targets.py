# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: reachability_targets
short_description: Which connections must work from a host and which must not, from the flow matrix
version_added: 0.1.0
description:
  - Returns every other host with every TCP port of the matrix, and whether the port must be open or closed
    for this source, in the shape that M(webinfra.stack.reachability) accepts.
  - UDP flows are left out, because an open UDP port cannot be told from a filtered one by trying it. So are flows of
    VRRP, to which nobody answers.
options:
  _input:
    description: The flow matrix, as P(webinfra.stack.firewall_rules#filter) describes it.
    type: list
    elements: dict
    required: true
  hosts:
    description: The result of P(webinfra.stack.stack_hosts#filter). Only C(name), C(address) and C(groups) are used.
    type: list
    elements: dict
    required: true
  source:
    description: Name of the host that tries, or V(controller).
    type: str
    required: true
  controller_addresses:
    description:
      - What P(webinfra.stack.firewall_rules#filter) was given. An empty list means that the flows from V(controller)
        are open to anybody, so that they must be open from every host.
      - Without it, a port that only V(controller) may reach is left out for other sources.
    type: list
    elements: str
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Try every port of every other host
  webinfra.stack.reachability:
    targets: "{{ flows | webinfra.stack.reachability_targets(hosts, inventory_hostname, []) }}"
"""

RETURN = r"""
_value:
  description: One entry a connection.
  type: list
  elements: dict
  sample:
    - {name: db1, host: 10.20.0.31, port: 3306, protocol: tcp, expected: open, flow: sql}
    - {name: db1, host: 10.20.0.31, port: 80, protocol: tcp, expected: closed, flow: http}
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils.flows import FlowError, matrix


def reachability_targets(
    flows: t.Sequence[t.Mapping[str, t.Any]],
    hosts: t.Sequence[t.Mapping[str, t.Any]],
    source: str,
    controller_addresses: t.Sequence[str] | None = None,
) -> list[dict[str, t.Any]]:
    try:
        return [probe.as_result() for probe in matrix(flows, hosts).probes_from(source, controller_addresses)]
    except FlowError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"reachability_targets": reachability_targets}
