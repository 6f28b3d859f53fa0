# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer_info
short_description: Say how the servers behind a load balancer are
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Returns state, weight, sessions, share of the requests and health of each server, in the same words for nginx and
    HAProxy.
  - What nginx's open-source edition does not know is null. Requests and the last failure are read from the end of its
    log there, and sessions are the connections that the host has to a server.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: debian
    support: full
notes:
  - Run it on the balancer.
seealso:
  - module: webinfra.stack.server_state
"""

EXAMPLES = r"""
- name: Ask the balancer for its servers
  webinfra.stack.load_balancer_info:
  register: balancer

- name: Name those that are not ready
  ansible.builtin.debug:
    msg: "{{ balancer.servers | rejectattr('state', 'equalto', 'ready') | map(attribute='name') | list }}"
"""

RETURN = r"""
provider:
  description: Which program balances.
  returned: success
  type: str
  sample: haproxy
overrides:
  description: What was set for servers at run time, by their names; what the role C(load_balancer) wants to know.
  returned: success
  type: dict
  sample:
    web1:
      {state: drain, weight: null, since: "2026-11-27T05:30:00+00:00", requested_by: anna, reason: new kernel}
servers:
  description: The servers in the order in which they are declared.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the server.
      type: str
      returned: always
    address:
      description: Address of the server.
      type: str
      returned: always
    port:
      description: Port of the server.
      type: int
      returned: always
    backup:
      description: Whether it stands by.
      type: bool
      returned: always
    state:
      description: V(ready), V(drain) or V(maintenance).
      type: str
      returned: always
    weight:
      description: The weight in use.
      type: int
      returned: always
    declared_weight:
      description: The weight that it was declared with.
      type: int
      returned: always
    up:
      description: Whether the balancer holds it for healthy. Null where it does not ask.
      type: bool
      returned: always
    sessions:
      description: Requests that it is answering; on nginx the connections that it has.
      type: int
      returned: always
    requests:
      description: Requests that it was sent since the balancer was started; on nginx in the last megabyte of the log.
      type: int
      returned: always
    share:
      description: Its part of the requests of all servers, 0 to 1. Null where there was no request.
      type: float
      returned: always
    last_check:
      description: What the balancer last learnt of its health, by a check or, on nginx, by a request. Null for nothing.
      type: dict
      returned: always
      sample: {outcome: L7OK 200, passed: true, seconds_ago: null, milliseconds: 2.0}
    changed_seconds_ago:
      description: Seconds since it went up or down. Null where that is not known.
      type: int
      returned: always
    downtime_seconds:
      description: Seconds that it was down since the balancer was started. Null where that is not known.
      type: int
      returned: always
    override:
      description: What was set for it at run time. Null for nothing.
      type: dict
      returned: always
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import PoolError
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.status import as_results
from ansible_collections.webinfra.stack.plugins.module_utils._module.balancing import RunningPool


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        running = RunningPool(module)
        servers = as_results(running.look())
    except PoolError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(
        changed=False,
        provider=running.pool.provider.value,
        overrides=running.overrides.as_result(),
        servers=servers,
    )


if __name__ == "__main__":
    main()
