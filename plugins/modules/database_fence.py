# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_fence
short_description: Make sure that the database server of a host takes no writes any more
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Closes the server and ends the connections of its clients. For a former primary, before or after another server has
    taken over.
  - A server that waits for the acknowledgement of a replica that is gone does not let itself be closed, and to let its
    commits go would tell clients that rows are safe which nobody else has. Such a server is ended at once, and so is
    one that does not answer. The module waits until it is back, closed by its configuration.
  - A server that is closed, or does not run, is left as it is.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
attributes:
  check_mode:
    support: full
    details: Whether a server that answers lets itself be closed shows only in a real run.
  diff_mode:
    support: full
  platform:
    support: full
    platforms: debian
options:
  unit:
    description:
      - The systemd unit of the server. Without it C(mariadb.service), or C(mysql.service) where there is no such unit.
    type: str
  timeout:
    description:
      - How many seconds the server may take to close before it is ended. Commits wait meanwhile.
    type: int
    default: 1
  restart_timeout:
    description:
      - How many seconds a server that was ended may take to come back. After 15 of them it is started, where systemd
        has not done so. Recovery of a large server takes its time.
    type: int
    default: 120
  reason:
    description:
      - Why; for the journal.
    type: str
    default: another server is the primary
notes:
  - The server is closed until it is opened or restarted. In its configuration C(read_only) should be on, as the role
    P(webinfra.stack.database#role) writes it. One that comes back open is closed, as long as the module waits.
seealso:
  - module: webinfra.stack.failover
  - module: webinfra.stack.replication
"""

EXAMPLES = r"""
- name: Let the former primary take no writes any more
  webinfra.stack.database_fence:
    reason: db2 has taken over
  delegate_to: db1
"""

RETURN = r"""
how:
  description: >-
    V(closed) by its own words, V(killed) because it did not let itself be closed, V(was_closed) before, V(down)
    because it does not run, or V(started) because it was about to start, and did so closed.
  returned: success
  type: str
  sample: closed
unit:
  description: The unit of the server.
  returned: success
  type: str
  sample: mariadb.service
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.fence import FencingFailedError, fence
from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

OPTIONS: dict[str, dict[str, t.Any]] = {
    "unit": {"type": "str"},
    "timeout": {"type": "int", "default": 1},
    "restart_timeout": {"type": "int", "default": 120},
    "reason": {"type": "str", "default": "another server is the primary"},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec={**LOGIN_OPTIONS, **OPTIONS}, supports_check_mode=True)
    try:
        result = fence(module)
    except (DatabaseError, FencingFailedError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
