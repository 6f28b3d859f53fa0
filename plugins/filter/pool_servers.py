# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: pool_servers
short_description: The servers of a balancer, from the hosts of a group
version_added: 0.1.0
description:
  - Returns the hosts of one group in the shape that the roles the role C(load_balancer)
    and the role C(database_router) accept.
options:
  _input:
    description: The result of P(webinfra.stack.stack_hosts#filter).
    type: list
    elements: dict
    required: true
  group:
    description: Name of the group.
    type: str
    required: true
  port:
    description: Port on which each of them listens.
    type: int
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
load_balancer_servers: "{{ webinfra_hosts | webinfra.stack.pool_servers('web_servers', 8000) }}"
"""

RETURN = r"""
_value:
  description: One entry a server.
  type: list
  elements: dict
  sample:
    - {name: web1, address: 10.20.0.21, port: 8000, weight: 3, backup: false}
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_hosts import pool


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"pool_servers": pool}
