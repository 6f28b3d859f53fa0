# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: server_state
short_description: Take a server out of a load balancer's pool, or put it back
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Drains a server, puts it into maintenance, gives it another weight, or makes it ready again, while the balancer
    runs. The same for nginx and HAProxy.
  - What is set lasts until it is taken back, over reloads and reboots of the balancer and over runs of the site. Who
    set it, when and why is kept with it.
  - A server that is taken out gets no new requests; the module waits until it has answered those that it has. One that
    is put back is first asked for its health path, so that nobody is sent to a server that is not ready.
  - The last server that would answer is not taken out, unless O(force=true).
  - On HAProxy this takes effect at once and nothing is reloaded. nginx takes no orders at run time; its list of
    servers is rewritten, validated and taken over by a reload.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
    details: Nothing is waited for.
  diff_mode:
    support: full
  platform:
    platforms: debian
    support: full
options:
  server:
    description: Name of the server, as the role P(webinfra.stack.load_balancer#role) was given it.
    type: str
    required: true
  state:
    description:
      - What the server shall do. V(ready) takes back whatever was set for it.
      - V(drain) gives it no new requests. V(maintenance) does that, too, and HAProxy does not ask for its health
        meanwhile, so that it logs no failures of a server that is being worked on.
    type: str
    choices: [ready, drain, maintenance]
    default: ready
  weight:
    description:
      - Its share relative to the others, 0 to 256, instead of the declared one. Without it the declared weight holds.
    type: int
  timeout:
    description:
      - Seconds to wait until the server has no sessions, or until it is healthy. With V(0) nothing is waited for, and
        a server is put back whatever its health.
    type: float
    default: 30
  at_timeout:
    description:
      - What comes after O(timeout) when a server that was taken out still has sessions. V(fail) fails; the server stays
        out. V(proceed) returns RV(sessions), for who cuts them knowingly.
    type: str
    choices: [fail, proceed]
    default: fail
  force:
    description: Whether the last server that would answer may be taken out.
    type: bool
    default: false
  reason:
    description: Why; shown to whoever asks for the state of the balancer.
    type: str
  requested_by:
    description: Who wanted it.
    type: str
notes:
  - Run it on the balancers, on each of them.
  - A server that is put back and does not become healthy in time stays as it was, and the module fails.
seealso:
  - module: webinfra.stack.load_balancer_info
"""

EXAMPLES = r"""
- name: Take web1 out and wait until it has answered everybody
  webinfra.stack.server_state:
    server: web1
    state: drain
    reason: new kernel
    requested_by: anna

- name: Put it back with a tenth of its load
  webinfra.stack.server_state:
    server: web1
    weight: 1

- name: Put it back as it is declared
  webinfra.stack.server_state:
    server: web1
"""

RETURN = r"""
servers:
  description:
    - All servers as M(webinfra.stack.load_balancer_info) returns them, after the change; in check mode before it.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: web1, address: 10.20.0.21, port: 8000, state: drain, weight: 3, declared_weight: 3, up: true}
sessions:
  description: Sessions that the server still has. On nginx its connections. Null in check mode.
  returned: always
  type: int
  sample: 0
waited_seconds:
  description: How long was waited for the server's sessions or health.
  returned: always
  type: float
  sample: 0.4
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.change import ChangeRefusedError
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import PoolError
from ansible_collections.webinfra.stack.plugins.module_utils._module.server_state import (
    ChangeFailedError,
    change_server,
)

OPTIONS: dict[str, dict[str, t.Any]] = {
    "server": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["ready", "drain", "maintenance"], "default": "ready"},
    "weight": {"type": "int"},
    "timeout": {"type": "float", "default": 30},
    "at_timeout": {"type": "str", "choices": ["fail", "proceed"], "default": "fail"},
    "force": {"type": "bool", "default": False},
    "reason": {"type": "str"},
    "requested_by": {"type": "str"},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    try:
        result = change_server(module)
    except (ChangeRefusedError, PoolError) as exc:
        module.fail_json(msg=str(exc))
    except ChangeFailedError as exc:
        module.fail_json(msg=str(exc), changed=exc.changed)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
