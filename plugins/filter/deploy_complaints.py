# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_complaints
short_description: Why no web server should be taken out now
version_added: 0.1.0
description:
  - Finds balancers that have not said how their servers are, and servers that are down without that anybody has taken
    them out.
options:
  _input:
    description: Results of M(webinfra.stack.load_balancer_info) by the names of the balancers.
    type: dict
    required: true
  servers:
    description: Names of the servers that shall get a release.
    type: list
    elements: str
    required: true
  balancers:
    description: Names of all balancers.
    type: list
    elements: str
    required: true
  outage_allowed:
    description: Whether the only server that answers may be taken out, too.
    type: bool
    default: false
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
complaints: "{{ {'lb1': info} | webinfra.stack.deploy_complaints(['web1', 'web2'], ['lb1']) }}"
"""

RETURN = r"""
_value:
  description: One sentence each.
  type: list
  elements: str
  sample: [lb1 finds web2 down]
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.deploys import complaints


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"deploy_complaints": complaints}
