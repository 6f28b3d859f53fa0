# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_settings
short_description: Let a running database server take its settings without a restart
version_added: 0.2.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Compares the variables of a running MariaDB or MySQL server with the wanted values, in one statement, and sets those
    that can be set at run time. What only a start sets is left and named, so that the restart can be chosen.
  - Writes no file. Keep the same values in the configuration of the server, or they are gone after its next start.
  - Has a renewed certificate loaded. Connections that are open go on with the one before.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
attributes:
  check_mode:
    support: full
    details: >-
      Predicts from the same plan. MySQL says of a few rare variables only when it is told to set them that they need a
      restart. A server that does not answer is only warned about, because an earlier task may be about to start it.
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
options:
  settings:
    description:
      - Variables by their names in the engine, with an underscore. A variable that the server does not have is refused,
        and nothing is changed.
      - A variable that appliers read only when they start is set while replication pauses, which takes well under a
        second. It waits instead when somebody has stopped one of the two threads.
      - C(server_id) is never set at run time.
    type: dict
    default: {}
  certificate_file:
    description:
      - The server's certificate on the target. The server loads it when the one that it shows is valid from or until
        another moment, so a run that was interrupted is completed by the next one.
    type: path
  certificate_changed:
    description:
      - Whether the certificate, its key or its authority has just been written. The server loads them in any case then.
    type: bool
    default: false
seealso:
  - module: webinfra.stack.configured_service
"""

EXAMPLES = r"""
- name: Give the server more memory, now
  webinfra.stack.database_settings:
    settings:
      innodb_buffer_pool_size: 4294967296
      max_connections: 400
    certificate_file: /etc/mysql/tls/server.pem
  register: settings

- name: Say what waits for a restart
  ansible.builtin.debug:
    var: settings.restart_needed
"""

RETURN = r"""
applied:
  description: The variables that were set, or would be.
  returned: success
  type: list
  elements: str
  sample: [innodb_buffer_pool_size]
restart_needed:
  description: The variables that run with another value until the server is restarted.
  returned: success
  type: list
  elements: str
  sample: [log_bin]
takes_writes:
  description: Whether the server is open for writes, so that it is restarted last.
  returned: success
  type: bool
  sample: false
certificate_loaded:
  description: Whether the certificate was loaded anew, or would be.
  returned: success
  type: bool
  sample: false
"""

import platform
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS, session_for
from ansible_collections.webinfra.stack.plugins.module_utils._module.settings import converge_settings
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import (
    ConnectionFailedError,
    DatabaseError,
)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "settings": {"type": "dict", "default": {}},
    "certificate_file": {"type": "path"},
    "certificate_changed": {"type": "bool", "default": False},
}
NOTHING: dict[str, t.Any] = {"applied": [], "restart_needed": [], "takes_writes": False, "certificate_loaded": False}
PAUSE_SECONDS = 30
"""Stopping a replication thread waits for the transaction it is in."""


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec={**LOGIN_OPTIONS, **OPTIONS}, supports_check_mode=True)
    try:
        with session_for(module.params, statement_timeout=PAUSE_SECONDS, socket_encrypted=True) as session:
            outcome = converge_settings(session, module.params, check_mode=module.check_mode)
    except ConnectionFailedError as exc:
        if not module.check_mode:
            module.fail_json(msg=str(exc))
        module.warn(f"Nothing is predicted about the settings of a server that does not answer: {exc}")
        module.exit_json(changed=False, **NOTHING)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    warning = outcome.warning(module.params["login_host"] or platform.node())
    if warning is not None:
        module.warn(warning)
    module.exit_json(**outcome.as_result())


if __name__ == "__main__":
    main()
