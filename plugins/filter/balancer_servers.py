# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: balancer_servers
short_description: The servers of a balancer in its own words
version_added: 0.1.0
description:
  - Returns the lines that name the servers to a balancer, with what was set for some of them at run time. They are the
    same that M(webinfra.stack.server_state) writes, so that neither undoes what the other does.
options:
  _input:
    description: The servers, as the role P(webinfra.stack.load_balancer#role) accepts them.
    type: list
    elements: dict
    required: true
  provider:
    description:
      - V(nginx) for the lines of its upstream block, V(haproxy) for those of the file of states that it starts with.
    type: str
    choices: [nginx, haproxy]
    required: true
  overrides:
    description: What was set at run time, RV(webinfra.stack.load_balancer_info#module:overrides).
    type: dict
    default: {}
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
lines: "{{ load_balancer_servers | webinfra.stack.balancer_servers('nginx', overrides) }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample: ["server 10.20.0.21:8000 weight=3 max_fails=1 fail_timeout=2s; # web1"]
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.balancer import balancer_servers


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"balancer_servers": balancer_servers}
