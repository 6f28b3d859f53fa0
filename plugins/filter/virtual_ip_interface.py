# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: virtual_ip_interface
short_description: The interface of a host on which a shared address can be
version_added: 0.1.0
description:
  - Returns the interface whose network the address is in. Of several, the one with the smallest network.
  - Fails when the host is in no such network.
options:
  _input:
    description: The address.
    type: str
    required: true
  addresses:
    description: What M(webinfra.stack.host_survey) returns as RV(webinfra.stack.host_survey#module:addresses).
    type: list
    elements: dict
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
interface: "{{ '10.20.0.10' | webinfra.stack.virtual_ip_interface(survey.addresses) }}"
"""

RETURN = r"""
_value:
  description: Name of the interface.
  type: str
  sample: eth0
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils.virtual_ip import interface_of


def virtual_ip_interface(address: str, addresses: t.Sequence[t.Mapping[str, str]]) -> str:
    try:
        return interface_of(address, addresses)
    except ValueError as exc:
        raise AnsibleFilterError(f"virtual_ip_interface: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"virtual_ip_interface": virtual_ip_interface}
