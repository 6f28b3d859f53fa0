# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: seed_donor
short_description: Serve one replica that is being seeded
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - The other side of M(webinfra.stack.replica_seed), on the server that gives the data. That one goes on working.
  - On MariaDB it listens on O(channel_port) for the one host that may come, O(target), and streams a physical backup
    to it through TLS. Both sides have to show a certificate of O(channel_ca_file) that names their own address. It ends
    when the target has all, or is gone. Run it in the background (C(async), C(poll=0)).
  - On MySQL it makes sure that the plugin is loaded from which others can clone, and that is all.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
  - webinfra.stack.seeding
attributes:
  check_mode:
    support: full
    details: Looks whether the donor could serve, and does not listen.
  diff_mode:
    support: N/A
  platform:
    support: full
    platforms: posix
options:
  target:
    description:
      - IP address of the server that is seeded. Nobody else is served.
    type: str
    required: true
  address:
    description:
      - IP address to listen on.
    type: str
    required: true
notes:
  - It runs at a low priority, so that what the server does for others comes first.
seealso:
  - module: webinfra.stack.replica_seed
"""

EXAMPLES = r"""
- name: Let db2 be the donor of db3
  webinfra.stack.seed_donor:
    target: 10.0.3.13
    address: 10.0.3.12
  async: 86400
  poll: 0
  delegate_to: db2
"""

RETURN = r"""
served:
  description: The target that has everything now. Null on MySQL, and in check mode.
  returned: success
  type: str
  sample: 10.0.3.13
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS
from ansible_collections.webinfra.stack.plugins.module_utils._module.seeding import CHANNEL_OPTIONS, serve
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

OPTIONS: dict[str, dict[str, t.Any]] = {
    "target": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec={**LOGIN_OPTIONS, **CHANNEL_OPTIONS, **OPTIONS}, supports_check_mode=True)
    try:
        served = serve(module.params, check_mode=module.check_mode)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**served)


if __name__ == "__main__":
    main()
