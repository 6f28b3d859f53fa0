# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: seeding_plan
short_description: Name the servers that have to be seeded, and a donor for each
version_added: 0.1.0
description:
  - A server that holds no data is seeded when the primary no longer has all binary logs from the beginning.
  - A server that holds data is seeded only with O(forced), and only when it cannot follow any more. The primary has
    deleted what it needs, or it has transactions that the primary lacks, or its threads have stopped with an error.
  - The donor is a healthy replica of the same version, the one that is the least behind, and the primary where there
    is none.
options:
  _input:
    description: The servers, as P(webinfra.stack.discovered_servers#filter) returns them.
    type: list
    elements: dict
    required: true
  primary:
    description: The name of the primary.
    type: str
    required: true
  forced:
    description: Whether servers that hold data are seeded as well, and empty ones without a need.
    type: bool
    default: false
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
seedings: "{{ servers | webinfra.stack.seeding_plan('db1', forced=false) }}"
"""

RETURN = r"""
_value:
  description: One entry a server that has to be seeded.
  type: list
  elements: dict
  sample:
    - target: db3
      address: 10.20.0.33
      donor: db2
      donor_address: 10.20.0.32
      reason: 52744 transactions that it lacks are no longer in db1's binary logs
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.chosen_primary import server_of
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.seeding.need import plan_seedings

if t.TYPE_CHECKING:
    import collections.abc as c


def seeding_plan(
    servers: c.Sequence[c.Mapping[str, t.Any]], primary: str, *, forced: bool = False
) -> list[dict[str, t.Any]]:
    addresses = {server["name"]: server["host"] for server in servers}
    try:
        seedings = plan_seedings([server_of(server) for server in servers], primary, forced=forced)
    except DatabaseError as exc:
        raise AnsibleFilterError(str(exc)) from exc
    return [
        {
            "target": seeding.target,
            "address": addresses[seeding.target],
            "donor": seeding.donor,
            "donor_address": addresses[seeding.donor],
            "reason": seeding.reason,
        }
        for seeding in seedings
    ]


class FilterModule:
    """The filter's registration."""

    def filters(self) -> dict[str, c.Callable[..., t.Any]]:
        return {"seeding_plan": seeding_plan}
