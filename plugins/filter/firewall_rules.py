# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: firewall_rules
short_description: What the firewall of a host lets in and out, from the flow matrix
version_added: 0.1.0
description:
  - Returns the rules of one host in the shape that M(webinfra.stack.ufw_rules) and the role C(firewall) accept,
    in a stable order and without duplicates. A host needs no rule for itself.
  - Flows that open the same port to the same source become one rule, whose comment names all of them.
options:
  _input:
    description:
      - The flow matrix. Each flow has C(name), C(from) (a group, V(internet) for anybody, or V(controller)),
        C(to) (a group or V(all)), C(ports), C(protocol) (V(tcp), the default, V(udp), or V(vrrp), which has no ports)
        and C(permanent) (V(false) where nobody listens all the time, so that it is not tried).
    type: list
    elements: dict
    required: true
  hosts:
    description: The result of P(webinfra.stack.stack_hosts#filter). Only C(name), C(address) and C(groups) are used.
    type: list
    elements: dict
    required: true
  host:
    description: Name of the host whose rules are wanted.
    type: str
    required: true
  controller_addresses:
    description:
      - Addresses or networks from which Ansible comes. With an empty list the flows from V(controller)
        are open to anybody.
    type: list
    elements: str
    default: []
  services:
    description:
      - With it, rules for where the host may go are returned, too. They are those of the flows that come from it, and
        of these services outside of the matrix, each with C(name), C(ports), C(protocol) (V(tcp), the default, or
        V(udp)), and C(to), an address or a network, or V(any), the default.
    type: list
    elements: dict
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
flows:
  - {name: ssh, from: controller, to: all, ports: [22]}
  - {name: sql, from: web_servers, to: db_servers, ports: [3306]}
firewall_rules: >-
  {{ flows | webinfra.stack.firewall_rules(hostvars | webinfra.stack.stack_hosts(groups), inventory_hostname) }}
"""

RETURN = r"""
_value:
  description: One entry a rule.
  type: list
  elements: dict
  sample:
    - {from: any, port: 22, protocol: tcp, comment: ssh (controller)}
    - {from: 10.20.0.21, port: 3306, protocol: tcp, comment: sql (web1)}
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils.flows import FlowError, Service, matrix


def firewall_rules(
    flows: t.Sequence[t.Mapping[str, t.Any]],
    hosts: t.Sequence[t.Mapping[str, t.Any]],
    host: str,
    controller_addresses: t.Sequence[str] = (),
    services: t.Sequence[t.Mapping[str, t.Any]] | None = None,
) -> list[dict[str, t.Any]]:
    try:
        whole = matrix(flows, hosts)
        rules = whole.rules_for(host, controller_addresses)
        if services is not None:
            rules += whole.rules_out_of(host, [Service.from_options(each) for each in services])
        return [rule.as_result() for rule in rules]
    except FlowError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"firewall_rules": firewall_rules}
