# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: errant_transactions
short_description: Save the transactions that a server has and the primary lacks
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Finds in the binary logs of a server what the primary lacks, and writes it to files on that host, before the server
    is seeded anew. A primary that was killed may have such transactions, and so may one that was cut off.
  - For every set there is a directory that only C(root) can read. It holds the binary logs themselves, C(readable.sql)
    with every row in words, C(replay.sql) for the client of the new primary, and C(manifest.json).
  - The server is not changed. A set that is saved already is not saved again.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
attributes:
  check_mode:
    support: full
    details: Finds and counts the transactions, and writes nothing.
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
options:
  gtids:
    description:
      - What the primary has, RV(webinfra.stack.replication_info#module:replication) of the primary, C(gtid_executed).
    type: str
    required: true
  origin:
    description:
      - Who the primary is in GTIDs, its C(server_uuid) on MySQL and its C(server_id) on MariaDB. What it wrote first
        is not saved, also where it did so after O(gtids) was asked. Give it where the server follows the primary.
    type: str
  name:
    description:
      - What the server is called, in the name of the directory and in the manifest.
    type: str
    required: true
  directory:
    description:
      - Where the directories of all sets are. It is created when it is missing.
    type: path
    default: /var/lib/webinfra/errant
notes:
  - C(replay.sql) is fed to the client on the primary. On MySQL its transactions keep their GTIDs, so that what is
    replayed twice is executed once. On MariaDB they get new ones, because the old ones are in the past there.
  - Look at C(readable.sql) first. Rows that were changed on both sides cannot be replayed.
seealso:
  - module: webinfra.stack.replication_info
  - module: webinfra.stack.replica_seed
"""

EXAMPLES = r"""
- name: Save what nobody else has
  webinfra.stack.errant_transactions:
    name: "{{ inventory_hostname }}"
    gtids: "{{ hostvars.db2.database_status.replication.gtid_executed }}"
"""

RETURN = r"""
gtids:
  description: The transactions that the primary lacks; empty where there are none.
  returned: success
  type: str
  sample: 0-1-1044
count:
  description: How many were found in the binary logs.
  returned: success
  type: int
  sample: 44
missing:
  description: Those that are in no binary log any more, and so cannot be saved.
  returned: success
  type: str
  sample: ""
directory:
  description: Where they are saved, or would be. Null where there are none.
  returned: success
  type: str
  sample: /var/lib/webinfra/errant/db1-5fbd6a11b0c2
files:
  description: The files in it, without the manifest. Empty in check mode.
  returned: success
  type: list
  elements: str
  sample: [binlog.000007, readable.sql, replay.sql]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.errant import save
from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

OPTIONS: dict[str, dict[str, t.Any]] = {
    "gtids": {"type": "str", "required": True},
    "origin": {"type": "str"},
    "name": {"type": "str", "required": True},
    "directory": {"type": "path", "default": "/var/lib/webinfra/errant"},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec={**LOGIN_OPTIONS, **OPTIONS}, supports_check_mode=True)
    try:
        saved = save(module.params, check_mode=module.check_mode)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    if saved.manifest.missing:
        module.warn(f"Deleted from the binary logs, and so not saved: {saved.manifest.missing}")
    module.exit_json(**saved.as_result())


if __name__ == "__main__":
    main()
