# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_batches
short_description: Divide web servers into those that get a release at the same time
version_added: 0.1.0
description:
  - A number of servers, a share of them, or a list of these, whose last entry holds for all servers that are left.
options:
  _input:
    description: Names of the servers.
    type: list
    elements: str
    required: true
  serial:
    description: How many at a time.
    type: raw
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
batches: "{{ ['web1', 'web2', 'web3'] | webinfra.stack.deploy_batches([1, '50%']) }}"
"""

RETURN = r"""
_value:
  description: Lists of servers, in the order in which they get the release.
  type: list
  elements: list
  sample: [[web1], [web2], [web3]]
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils.deploys import BatchError, batches


def deploy_batches(servers: list[str], serial: t.Any) -> list[list[str]]:
    try:
        return batches(servers, serial)
    except BatchError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"deploy_batches": deploy_batches}
