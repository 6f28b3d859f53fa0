# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: virtual_ip_holders
short_description: Which hosts have a shared address now
version_added: 0.1.0
description:
  - Returns the names of the hosts that have the address, by what M(webinfra.stack.host_survey) saw on each. There
    should be exactly one. Hosts that were not asked are left out.
options:
  _input:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  variable:
    description: Name of the variable in which the result of M(webinfra.stack.host_survey) is registered.
    type: str
    required: true
  address:
    description: The shared address.
    type: str
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
holders: "{{ ansible_play_hosts | webinfra.stack.virtual_ip_holders(hostvars, 'survey', '10.20.0.10') }}"
"""

RETURN = r"""
_value:
  description: Names of the hosts that have it.
  type: list
  elements: str
  sample: [lb1]
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.virtual_ip import holders


def virtual_ip_holders(
    hosts: t.Sequence[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]], variable: str, address: str
) -> list[str]:
    if not address:
        return []
    surveys = {host: hostvars[host].get(variable, {}) for host in hosts}
    return holders(address, {host: survey.get("addresses", []) for host, survey in surveys.items()})


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"virtual_ip_holders": virtual_ip_holders}
