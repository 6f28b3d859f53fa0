# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: app_release_info
short_description: Which releases of an application a host has, and who deploys
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Reads the releases that M(webinfra.stack.app_release) has put on the host, which of them is current, which was
    before, and the lock of M(webinfra.stack.deploy_lock). Changes nothing.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: debian
    support: full
options:
  name:
    description: Name of the application.
    type: str
    required: true
  home:
    description: Directory of its releases. Without it C(/srv/<name>).
    type: path
"""

EXAMPLES = r"""
- name: Ask which releases there are
  webinfra.stack.app_release_info:
    name: wiki
  register: wiki
"""

RETURN = r"""
current:
  description: Name of the release that is current. Empty for none.
  returned: always
  type: str
  sample: 61bf0e2d94c7
previous:
  description: Name of the release that was current before. Empty for none.
  returned: always
  type: str
  sample: 0a3c5d7e9f11
releases:
  description: All complete releases, the newest first.
  returned: always
  type: list
  elements: dict
  sample:
    - {id: 61bf0e2d94c7, source: /home/anna/wiki, revision: "", by: anna@desk, at: "2026-11-27T05:30:00.000+00:00"}
incomplete:
  description: Names of releases that a killed run has left incomplete. The next deploy removes them.
  returned: always
  type: list
  elements: str
  sample: []
lock:
  description: Who deploys just now, or was killed while deploying. Null for nobody.
  returned: always
  type: dict
  sample: {holder: "4711", verb: deploy, requested_by: anna@desk, reason: "", since: "2026-11-27T05:30:00.000+00:00"}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.releases import Home, read_lock


def main() -> t.NoReturn:
    options = {"name": {"type": "str", "required": True}, "home": {"type": "path"}}
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    name = module.params["name"]
    lock = read_lock(name)
    shelf = Home(module, name, module.params["home"]).look()
    module.exit_json(changed=False, **shelf.as_result(), lock=lock.as_result() if lock else None)


if __name__ == "__main__":
    main()
