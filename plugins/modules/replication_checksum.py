# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: replication_checksum
short_description: Compare every row of a primary with its replicas while they work
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Compares all tables of the primary and of its replicas by digest, in chunks along the primary key, and fails with
    the ranges of keys that differ. Replication that runs without an error says nothing about rows that were changed
    on a replica alone. This does.
  - Nothing has to stop for it. A chunk is read on the primary, and then on the replica once that has reached the
    primary's GTID position. Where they differ, the rows are looked at again. Those that still differ are held still on
    the primary, a hundred at most and for half a second at most, until the replica has caught up. Only what differs
    then is reported. A row that is written to all the time is no false alarm.
  - A table without a primary key of numbers, strings or times is read whole, several times if it is written to
    meanwhile. What could not be compared is listed in RV(unsettled), and is a failure unless O(unsettled_allowed).
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.servers
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: N/A
    details: Changes nothing.
  platform:
    support: full
    platforms: posix
options:
  replicas:
    description:
      - The names of the replicas to compare. All of O(servers) that follow somebody when it is not given.
    type: list
    elements: str
    default: []
  databases:
    description:
      - The databases to compare. All but the system's when it is not given.
    type: list
    elements: str
    default: []
  chunk_rows:
    description:
      - Rows of a chunk. Fewer make each statement shorter and the whole comparison longer.
    type: int
    default: 5000
  load:
    description:
      - The share of the time in which the servers work for the comparison. It rests after each chunk accordingly.
        V(1) does not rest.
    type: float
    default: 0.5
  settle_timeout:
    description:
      - How many seconds a replica gets at the beginning to come close to the primary. The module fails when it does
        not.
    type: int
    default: 300
  catch_up_timeout:
    description:
      - How many seconds a replica gets to reach the primary's position. A chunk for which it does not is unsettled.
    type: int
    default: 30
  largest_unkeyed:
    description:
      - A table that cannot be cut into chunks and has more rows than this is not read, and is listed as unsettled.
    type: int
    default: 1000000
  unsettled_allowed:
    description:
      - Whether the module passes although something could not be compared.
    type: bool
    default: false
  login_user:
    description:
      - The account to log in with, on every server. Needs V(SELECT) on what is compared, V(REPLICATION CLIENT) and
        V(PROCESS).
    type: str
    required: true
  connect_timeout:
    description:
      - How many seconds to wait for a connection before a server counts as unreachable.
    type: int
    default: 3
notes:
  - System tables, accounts among them, are not compared, and generated columns that are not stored are left out.
  - A row of a table that is not InnoDB cannot be held still. Such a table is read whole.
  - Two servers of different versions may print floating point numbers differently.
seealso:
  - module: webinfra.stack.replication_check
"""

EXAMPLES = r"""
- name: Compare all replicas with their primary
  webinfra.stack.replication_checksum:
    servers:
      - {name: db1, host: 10.0.3.11}
      - {name: db2, host: 10.0.3.12}
    login_user: seeding
    login_password: "{{ database_seeding_password }}"
    ca_file: /etc/mysql/tls/ca.pem
"""

RETURN = r"""
tables:
  description: How many tables were compared.
  returned: success, or when something differs
  type: int
  sample: 4
rows:
  description: How many rows, as counted on the primary.
  returned: success, or when something differs
  type: int
  sample: 520184
chunks:
  description: In how many chunks.
  returned: success, or when something differs
  type: int
  sample: 107
caught_up_at:
  description: >-
    When the last replica had reached where the primary was at the beginning, in seconds since 1970. Null when one has
    not.
  returned: success, or when something differs
  type: float
  sample: 1772360117.3
rechecked:
  description: How many chunks were being written to, and had to be looked at again.
  returned: success, or when something differs
  type: int
  sample: 2
differences:
  description: The ranges of rows that differ. In each a hundred rows at most are told apart.
  returned: success, or when something differs
  type: list
  elements: dict
  sample:
    - replica: db2
      table: shop.orders
      where: keys after 5000 to 10000
      missing: 0
      extra: 0
      changed: 1
      keys: ["7311"]
unsettled:
  description: What was not compared, and why.
  returned: success, or when something differs
  type: list
  elements: dict
  sample:
    - replica: null
      table: shop.audit
      reason: it has no usable primary key and is too large to be read at once
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.checksum import compare
from ansible_collections.webinfra.stack.plugins.module_utils._module.servers import SERVERS_OPTIONS
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

OPTIONS: dict[str, dict[str, t.Any]] = {
    **SERVERS_OPTIONS,
    "replicas": {"type": "list", "elements": "str", "default": []},
    "databases": {"type": "list", "elements": "str", "default": []},
    "chunk_rows": {"type": "int", "default": 5000},
    "load": {"type": "float", "default": 0.5},
    "settle_timeout": {"type": "int", "default": 300},
    "catch_up_timeout": {"type": "int", "default": 30},
    "largest_unkeyed": {"type": "int", "default": 1000000},
    "unsettled_allowed": {"type": "bool", "default": False},
    "connect_timeout": {"type": "int", "default": 3},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    if not 0 < module.params["load"] <= 1 or module.params["chunk_rows"] < 1:
        module.fail_json(msg="load has to be above 0 and at most 1, and chunk_rows at least 1")
    try:
        findings = compare(module.params)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    if findings.differences or (findings.unsettled and not module.params["unsettled_allowed"]):
        module.fail_json(msg=findings.message or "", **findings.as_result())
    module.exit_json(**findings.as_result())


if __name__ == "__main__":
    main()
