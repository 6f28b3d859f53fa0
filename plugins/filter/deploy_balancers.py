# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_balancers
short_description: Which balancers are told that a server gets a release
version_added: 0.1.0
description:
  - Those that send requests to it. One on which somebody has taken the server out is not told, and keeps it like that;
    one on which a deploy that was killed has left it out is.
options:
  _input:
    description: Results of M(webinfra.stack.load_balancer_info) by the names of the balancers.
    type: dict
    required: true
  server:
    description: Name of the web server.
    type: str
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
told: "{{ {'lb1': info} | webinfra.stack.deploy_balancers('web1') }}"
"""

RETURN = r"""
_value:
  description:
    - Each balancer, with the weight that somebody has set for the server there, null where none was set, and with
      whether a killed run has left the server out there.
  type: list
  elements: dict
  sample: [{balancer: lb1, weight: null, left: false}]
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.deploys import balancers_to_tell


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"deploy_balancers": balancers_to_tell}
