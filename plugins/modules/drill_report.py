# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: drill_report
short_description: Judge a drill and print its table
version_added: 0.1.0
description:
  - Holds what the client of a drill was told against the rows that the servers have. Runs on the controller.
  - Fails when an acknowledged row is missing on a server or is there twice, when servers differ, when two of them took
    writes at the same time, and when there is not exactly one that does in the end.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  platform:
    platforms: posix
    support: full
options:
  fault:
    description: Name of the drill.
    type: str
    required: true
  engine:
    description: Engine of the databases.
    type: str
    required: true
    choices: [mariadb, mysql]
  durability:
    description: What an acknowledged commit was worth. V(async) where commits waited for no replica at all.
    type: str
    required: true
    choices: [no_loss, available, async]
  loss_expected:
    description: Whether rows have to be lost. That is the proof that a drill finds losses.
    type: bool
    default: false
  goals_required:
    description: Whether a goal that is missed is a failure.
    type: bool
    default: false
  journals:
    description:
      - Files on the controller with what clients have written down. The first is that of the client behind the router.
    type: list
    elements: path
    required: true
  rows:
    description: For every server a file on the controller with the numbers of the rows that it has.
    type: dict
    required: true
  open_servers:
    description: The servers that take writes in the end.
    type: list
    elements: str
    required: true
  kept_primary:
    description: The server that has to be the one that takes writes in the end. Left out where it may be another one.
    type: str
  checks:
    description: Results of M(webinfra.stack.verb) for the playbooks that must be green and change nothing, by name.
    type: dict
    default: {}
  moment:
    description: From when on writes were waited for, in seconds since 1970.
    type: float
  verb:
    description: The result of M(webinfra.stack.verb) for the playbook that is drilled.
    type: dict
    default: {}
  reseeded:
    description: How many servers had to be filled anew to come back. Left out where none had to come back.
    type: int
  path:
    description: File on the controller with a JSON list, to which the drill is added.
    type: path
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Judge the drill
  webinfra.stack.drill_report:
    fault: switchover
    engine: mariadb
    durability: no_loss
    journals: [/tmp/drill/client.journal]
    rows:
      db1: /tmp/drill/db1.rows
      db2: /tmp/drill/db2.rows
    open_servers: [db2]
    verb: "{{ moved }}"
"""

RETURN = r"""
figures:
  description: The numbers. Null what this drill does not have.
  returned: always
  type: dict
  sample:
    acknowledged: 20113
    unknown: 4
    unknown_but_written: 2
    lost: 0
    doubled: 0
    differing: 0
    two_open_seconds: 0
    write_gap_seconds: 0.31
    read_gap_seconds: 0.06
    seconds_to_write: null
    writes_closed_ms: 31.4
    moved_ms: 212.9
    reseeded: 0
failures:
  description: What must not be.
  returned: always
  type: list
  elements: str
  sample: []
missed:
  description: Goals that were not reached.
  returned: always
  type: list
  elements: str
  sample: ["write_gap_seconds is 1.31, and at most 1 is the goal"]
lines:
  description: The lines of the table.
  returned: always
  type: list
  elements: str
  sample:
    - drill switchover, mariadb, no_loss
    - "  acknowledged rows                    20113"
"""
