# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: balanced_servers
short_description: The servers of a balancer with the weights that they have now
version_added: 0.1.0
description:
  - Returns the servers with the weights that were set at run time, and 0 for those that were taken out, in the shape
    that M(webinfra.stack.balance_check) accepts.
options:
  _input:
    description: The servers, as the role P(webinfra.stack.load_balancer#role) accepts them.
    type: list
    elements: dict
    required: true
  overrides:
    description: What was set at run time, RV(webinfra.stack.load_balancer_info#module:overrides).
    type: dict
    default: {}
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
expected: "{{ load_balancer_servers | webinfra.stack.balanced_servers(overrides) }}"
"""

RETURN = r"""
_value:
  description: One entry a server.
  type: list
  elements: dict
  sample:
    - {name: web1, weight: 0, backup: false}
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.balancer import balanced_servers


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"balanced_servers": balanced_servers}
