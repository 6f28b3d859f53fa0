# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: switchover
short_description: Move the writes from the primary to a replica, without losing one
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Speaks to all database servers at once. It lets the target catch up, closes the primary, waits until the target
    has everything, opens it, and points all others to it.
  - Refuses, and changes nothing, when the target lags, has transactions of its own, does not replicate, or has purged
    what another server needs; when another replica is broken; and when transactions do not end.
  - A step that fails before the target is open takes everything back, so that the old primary takes writes again.
  - A run that was killed is finished by the next one.
  - In a task for several hosts one of them runs it, the first that can be reached and does not find itself cut off
    from the others. So nobody has to know beforehand which host is gone.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.servers
  - webinfra.stack.moves
attributes:
  check_mode:
    support: full
    details: Returns the plan, or fails with the refusal.
  diff_mode:
    support: full
    details: Shows the role of every server.
  platform:
    support: full
    platforms: posix
options:
  force:
    description:
      - Whether to leave behind replicas that are broken or cannot be asked. What is wrong with the target is never
        overlooked.
    type: bool
    default: false
  max_lag:
    description:
      - By how many seconds the target may be behind.
    type: float
    default: 5
  max_transaction_age:
    description:
      - Transactions on the primary that have written and are older than this many seconds are waited for. Younger ones
        are rolled back by closing the primary, and their clients are told.
    type: float
    default: 1
  transaction_timeout:
    description:
      - How many seconds to wait for them. Writes go on meanwhile.
    type: int
    default: 10
  kill_transactions:
    description:
      - Whether to end them after that, instead of refusing.
    type: bool
    default: false
  close_timeout:
    description:
      - How many seconds a running statement may keep the primary from closing before the move is called off. New writes
        wait meanwhile.
    type: int
    default: 2
seealso:
  - module: webinfra.stack.failover
  - module: webinfra.stack.replication_check
"""

EXAMPLES = r"""
- name: Let the best replica take over
  webinfra.stack.switchover:
    servers:
      - name: db1
        host: 10.0.3.11
      - name: db2
        host: 10.0.3.12
    login_user: mover
    login_password: "{{ database_mover_password }}"
    replication_user: replication
    replication_password: "{{ replication_password }}"
    ca_file: /etc/mysql/tls/ca.pem
    source_ca_file: /etc/mysql/tls/ca.pem
"""

RETURN = r"""
summary:
  description: What came of it, in a sentence or two.
  returned: always but on refusal
  type: str
  sample: >-
    db2 took the writes over from db1, which were closed for 34 ms
primary:
  description: The name of the server that takes the writes now. Null where there is not exactly one.
  returned: always but on refusal
  type: str
  sample: db2
former_primary:
  description: The name of the server that took the writes before. Null when nothing was moved.
  returned: always but on refusal
  type: str
  sample: db1
writes_closed_ms:
  description: From the order to close the old primary until the answer of the new one that it is open.
  returned: always but on refusal
  type: float
  sample: 31.4
took_ms:
  description: From the first step to the end of the last one.
  returned: always but on refusal
  type: float
  sample: 412.8
plan:
  description: The stages, and what is done in them. Each waits for the one before; servers act at the same time.
  returned: always but on refusal
  type: list
  elements: dict
  sample:
    - stage: close
      steps:
        - server: db1
          act: close_writes
          source: null
          reason: from here on nothing is written until db2 takes over
steps:
  description: What was done, in the order in which it ended, with its time since the beginning. Empty in check mode.
  returned: always but on refusal
  type: list
  elements: dict
  sample:
    - server: db1
      act: close_writes
      source: null
      reason: from here on nothing is written until db2 takes over
      at_ms: 8.2
      took_ms: 0.6
      problem: null
rolled_back:
  description: Whether the move failed and the old primary takes writes again.
  returned: always but on refusal
  type: bool
  sample: false
one_sided:
  description:
    - Whether it was refused by a host that reaches next to none of the servers. The action of the same name then lets
      another host of the play look.
  returned: on refusal
  type: bool
  sample: false
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.moves import MOVE_OPTIONS, run, switchover

OPTIONS: dict[str, dict[str, t.Any]] = {
    **MOVE_OPTIONS,
    "max_lag": {"type": "float", "default": 5},
    "max_transaction_age": {"type": "float", "default": 1},
    "transaction_timeout": {"type": "int", "default": 10},
    "kill_transactions": {"type": "bool", "default": False},
    "close_timeout": {"type": "int", "default": 2},
}


def main() -> t.NoReturn:
    run(switchover, AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True))


if __name__ == "__main__":
    main()
