# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: stack_hosts
short_description: What the wiring needs to know of each host
version_added: 0.1.0
description:
  - Reads the inventory's host variables C(weight), C(backup), C(max_connections), C(slow_start), C(internal_address)
    and C(ansible_host).
  - Uses no facts, so a run that is limited to one host knows the others too.
options:
  _input:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  groups:
    description: The magic variable C(groups).
    type: dict
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
webinfra_hosts: "{{ hostvars | webinfra.stack.stack_hosts(groups) }}"
"""

RETURN = r"""
_value:
  description: One entry a host, in the inventory's order.
  type: list
  elements: dict
  sample:
    - {name: web1, address: 10.20.0.21, groups: [all, web_servers], weight: 3, backup: false, server_id: 169082901}
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils import stack_hosts as hosts


def stack_hosts(
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]], groups: t.Mapping[str, t.Sequence[str]]
) -> list[dict[str, t.Any]]:
    try:
        return [host.as_result() for host in hosts.stack_hosts(hostvars, groups)]
    except ValueError as exc:
        raise AnsibleFilterError(f"weight must be a whole number: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"stack_hosts": stack_hosts}
