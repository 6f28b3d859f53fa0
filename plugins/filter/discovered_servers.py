# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: discovered_servers
short_description: What the servers of a topology said of themselves
version_added: 0.1.0
description:
  - Puts the registered results of M(webinfra.stack.replication_info) beside the members of a topology,
    in the shape that P(webinfra.stack.chosen_primary#filter) reads.
  - A member that was not asked in this run (it is unreachable, or the run is limited) gets V(null).
options:
  _input:
    description: The members, each with C(name) and C(address).
    type: list
    elements: dict
    required: true
  hostvars:
    description: The magic variable C(hostvars).
    type: dict
    required: true
  variable:
    description: Name of the variable that holds the registered result.
    type: str
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
servers: "{{ replication_members | webinfra.stack.discovered_servers(hostvars, '__replication_discovered') }}"
"""

RETURN = r"""
_value:
  description: One entry a member.
  type: list
  elements: dict
  sample:
    - {name: db1, host: 10.20.0.31, replication: {role: primary, read_only: false}}
    - {name: db2, host: 10.20.0.32, replication: null}
"""

import typing as t


def discovered_servers(
    members: t.Iterable[t.Mapping[str, t.Any]], hostvars: t.Mapping[str, t.Mapping[str, t.Any]], variable: str
) -> list[dict[str, t.Any]]:
    return [
        {
            "name": member["name"],
            "host": member["address"],
            "replication": (hostvars[member["name"]].get(variable) or {}).get("replication"),
        }
        for member in members
    ]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"discovered_servers": discovered_servers}
