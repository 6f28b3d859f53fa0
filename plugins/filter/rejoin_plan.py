# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rejoin_plan
short_description: Say of each server how it comes to follow the primary again
version_added: 0.1.0
description:
  - A server all of whose transactions the primary has follows it by GTID. One that has others, or that the primary no
    longer has enough binary logs for, or that is broken, is seeded. One that follows the primary is left alone.
  - Fails, saying what it saw and what to do, unless exactly one server takes writes.
options:
  _input:
    description: The servers, as P(webinfra.stack.discovered_servers#filter) returns them.
    type: list
    elements: dict
    required: true
  initial:
    description: The name of the server that is the first primary.
    type: str
    required: true
  chosen:
    description: The names of the servers that shall come back if they do not follow. The others are left alone.
    type: list
    elements: str
    required: true
  died:
    description: The names of the servers that tried to follow and died of it. They are seeded.
    type: list
    elements: str
    default: []
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
plan: "{{ servers | webinfra.stack.rejoin_plan('db1', ['db1', 'db2', 'db3']) }}"
"""

RETURN = r"""
_value:
  description: One entry a server. Those that others still follow stand last.
  type: list
  elements: dict
  sample:
    - target: db1
      way: seed
      reason: "it has transactions that db2 lacks: 0-1-105"
      own: 0-1-105
      count: 5
      open: false
      address: 10.20.0.31
      donor: db2
      donor_address: 10.20.0.32
      primary: db2
      primary_gtids: 0-1-100,0-2-140
      primary_origin: "2"
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.chosen_primary import server_of
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.rejoining.plan import (
    Way,
    plan_rejoining,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Refusal

if t.TYPE_CHECKING:
    import collections.abc as c


def rejoin_plan(
    servers: c.Sequence[c.Mapping[str, t.Any]],
    initial: str,
    chosen: c.Collection[str],
    died: c.Collection[str] = (),
) -> list[dict[str, t.Any]]:
    found = [server_of(server) for server in servers]
    try:
        decision = plan_rejoining(found, initial, chosen, died)
    except DatabaseError as exc:
        raise AnsibleFilterError(str(exc)) from exc
    if isinstance(decision, Refusal):
        raise AnsibleFilterError(decision.reason)
    addresses = {server["name"]: server["host"] for server in servers}
    name = next(entry.server for entry in decision if entry.way is Way.PRIMARY)
    primary = next(server.status for server in found if server.name == name and server.status is not None)
    return [
        {
            "target": entry.server,
            "way": entry.way.value,
            "reason": entry.reason,
            "own": entry.own,
            "count": entry.count,
            "open": entry.open,
            "address": addresses[entry.server],
            "donor": entry.donor,
            "donor_address": addresses.get(entry.donor or ""),
            "primary": name,
            "primary_gtids": str(primary.executed),
            "primary_origin": primary.origin,
        }
        for entry in decision
    ]


class FilterModule:
    """The filter's registration."""

    def filters(self) -> dict[str, c.Callable[..., t.Any]]:
        return {"rejoin_plan": rejoin_plan}
