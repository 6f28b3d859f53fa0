# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: replica_seed
short_description: Fill a server with the data of another one that goes on working
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Makes a server a copy of another one, at a known GTID position, from where M(webinfra.stack.replication) follows.
    The donor takes reads and writes all the time. For a server that is new, or whose source has deleted the binary logs
    that it still needs.
  - On MariaDB a physical backup is streamed from M(webinfra.stack.seed_donor) through TLS into a directory beside
    the data, prepared there, and only then put in its place. On MySQL an empty server clones the donor (C(CLONE)),
    through TLS as well.
  - How far it is, is shown while it runs.
  - An interrupted run can be run again. Until the copy is complete, the server is as it was. While its data are being
    exchanged it cannot be started, not by a reboot either. When it can, it knows its position. On MySQL an
    interrupted clone leaves an empty server.
  - A primary, and a server that feeds replicas, is refused.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
  - webinfra.stack.seeding
attributes:
  check_mode:
    support: full
    details: The donor is not asked, so whether there is enough space shows only in a real run.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
options:
  engine:
    description:
      - The engine of both servers.
    type: str
    choices: [mariadb, mysql]
    required: true
  donor:
    description:
      - IP address of the server to copy. Without it an interrupted seeding is finished as far as that goes without a
        donor, and nothing else is done.
    type: str
  donor_port:
    description:
      - TCP port of a MySQL donor.
    type: int
    default: 3306
  donor_user:
    description:
      - The account on a MySQL donor. It needs V(BACKUP_ADMIN), V(REPLICATION CLIENT) and V(PROCESS). MariaDB needs
        none.
    type: str
    default: seeding
  donor_password:
    description:
      - The password of O(donor_user).
    type: str
    default: ""
  existing_data:
    description:
      - What becomes of data that the server holds. A server without a schema, a source or a replica holds none.
      - V(keep_aside) moves it to a directory with the date in its name and says so in RV(kept_aside). V(remove) deletes
        it once the new data are in place. V(refuse) changes nothing and fails.
    type: str
    choices: [keep_aside, remove, refuse]
    default: keep_aside
notes:
  - The space for the whole copy has to be free beside the old data. It is looked for before anything is changed.
  - What is kept aside stands in C(<data directory>.webinfra), or in C(.webinfra) inside it where the data directory is
    a file system of its own.
  - Events that come with the copy are disabled, as a replica's are.
seealso:
  - module: webinfra.stack.seed_donor
  - module: webinfra.stack.replication
  - module: webinfra.stack.replication_checksum
"""

EXAMPLES = r"""
- name: Fill db3 with the data of db2, which serves it
  webinfra.stack.replica_seed:
    engine: mariadb
    donor: 10.0.3.12
"""

RETURN = r"""
donor:
  description: Whose copy the server is.
  returned: when it was seeded
  type: str
  sample: 10.0.3.12
position:
  description: The GTID position of the copy. Empty in check mode.
  returned: when it was seeded
  type: str
  sample: 0-1-52744
resumed:
  description: Whether an interrupted seeding was finished.
  returned: when it was seeded
  type: bool
  sample: false
kept_aside:
  description: Where the old data are. Null when there were none, or they were removed.
  returned: when it was seeded
  type: str
  sample: /var/lib/mysql.webinfra/aside-20260301T101500Z
begin:
  description: When it began, in seconds since 1970.
  returned: when it was seeded
  type: float
  sample: 1772360100.2
end:
  description: When it ended.
  returned: when it was seeded
  type: float
  sample: 1772360114.7
directory:
  description: The data directory.
  returned: when it was seeded
  type: str
  sample: /var/lib/mysql
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS
from ansible_collections.webinfra.stack.plugins.module_utils._module.seeding import CHANNEL_OPTIONS, seed
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

OPTIONS: dict[str, dict[str, t.Any]] = {
    "engine": {"type": "str", "choices": ["mariadb", "mysql"], "required": True},
    "donor": {"type": "str"},
    "donor_port": {"type": "int", "default": 3306},
    "donor_user": {"type": "str", "default": "seeding"},
    "donor_password": {"type": "str", "default": "", "no_log": True},
    "existing_data": {"type": "str", "choices": ["keep_aside", "remove", "refuse"], "default": "keep_aside"},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec={**LOGIN_OPTIONS, **CHANNEL_OPTIONS, **OPTIONS}, supports_check_mode=True)
    begin = time.time()
    try:
        seeded = seed(module.params, check_mode=module.check_mode)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    if seeded is None:
        module.exit_json(changed=False)
    module.exit_json(**seeded.as_result(), begin=begin, end=time.time())


if __name__ == "__main__":
    main()
