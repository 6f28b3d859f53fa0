# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: failover
short_description: Let a replica take over from a primary that is gone
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Speaks to all database servers at once. It stops what replicas still receive, elects the one that has received the
    most, lets it apply all of it, and fetches what only others have. Then it opens it and points the others to it.
  - Refuses, and changes nothing, while the primary answers, while a replica still hears it, while a replica that may
    have more cannot be asked, and shortly after another failover. A primary that came back closed from a crash,
    without what a replica has, counts as gone. Nobody can open that one any more.
  - The old primary is closed as far as SQL reaches it. It stays out until it is made to rejoin.
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
    details: Returns the plan for what replicas have received up to now, or fails with the refusal.
  diff_mode:
    support: full
    details: Shows the role of every server.
  platform:
    support: full
    platforms: posix
options:
  force:
    description:
      - Whether you know better. Then a primary that answers is closed and left, nobody is asked whether the primary is
        gone, what a missing replica may have is given up, and the block period does not count.
    type: bool
    default: false
  tries:
    description:
      - How many looks in a row must show that the primary is gone.
    type: int
    default: 2
  timeout:
    description:
      - How many seconds to ask again while a replica still hears the primary. A host that died without a word is
        noticed after the engine's own time limit, or when nothing was received for O(silence).
    type: int
    default: 15
  silence:
    description:
      - A replica that receives nothing for so many seconds, by the clock of the host that looks, does not hear the
        primary, although its thread runs. One that has never seen a heartbeat may just have nothing to receive.
    type: float
    default: 3
  block_period:
    description:
      - For how many seconds after a failover another one is refused. Servers that fail one after the other have a
        common cause, and moving on spreads it.
    type: int
    default: 600
seealso:
  - module: webinfra.stack.switchover
  - module: webinfra.stack.replication_check
"""

EXAMPLES = r"""
- name: Let the replica with the most transactions take over
  webinfra.stack.failover:
    servers:
      - name: db1
        host: 10.0.3.11
      - name: db2
        host: 10.0.3.12
      - name: db3
        host: 10.0.3.13
    login_user: mover
    login_password: "{{ database_mover_password }}"
    replication_user: replication
    replication_password: "{{ replication_password }}"
    ca_file: /etc/mysql/tls/ca.pem
    source_ca_file: /etc/mysql/tls/ca.pem
    durability: no_loss
"""

RETURN = r"""
summary:
  description: What came of it, in a sentence or two.
  returned: always but on refusal
  type: str
  sample: >-
    db2 took the writes over from db1. Nothing that db1 acknowledged is lost: its commits waited up to 50 days for a
    replica when it wrote its last heartbeat that has arrived, 4.2 s ago, and everything that db2, db3 had received was
    kept
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
  description: >-
    From the order to close the old primary until the answer of the new one that it is open. Null when the old one was
    gone.
  returned: always but on refusal
  type: float
  sample: null
lost:
  description: What the old primary may have had alone, and how that is known.
  returned: when a replica took over, or would
  type: dict
  contains:
    nothing_acknowledged_lost:
      description: Whether it is certain that no client was told of a commit that is gone.
      type: bool
      returned: always
    transactions:
      description: How many transactions the old primary has alone. Null when that cannot be counted.
      type: int
      returned: always
    reason:
      description: The same in words.
      type: str
      returned: always
  sample:
    nothing_acknowledged_lost: true
    transactions: 0
    reason: >-
      Nothing that db1 acknowledged is lost: its commits waited up to 50 days for a replica when it wrote its last
      heartbeat that has arrived, 4.2 s ago, and everything that db2, db3 had received was kept
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
    - stage: apply
      steps:
        - server: db2
          act: apply_received
          source: null
          reason: what was acknowledged must not be lost
steps:
  description: What was done, in the order in which it ended, with its time since the beginning. Empty in check mode.
  returned: always but on refusal
  type: list
  elements: dict
  sample:
    - server: db2
      act: apply_received
      source: null
      reason: what was acknowledged must not be lost
      at_ms: 41.7
      took_ms: 2.3
      problem: null
rolled_back:
  description: Always false. Nothing can be taken back here.
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

from ansible_collections.webinfra.stack.plugins.module_utils._module.moves import MOVE_OPTIONS, failover, run

OPTIONS: dict[str, dict[str, t.Any]] = {
    **MOVE_OPTIONS,
    "tries": {"type": "int", "default": 2},
    "timeout": {"type": "int", "default": 15},
    "silence": {"type": "float", "default": 3},
    "block_period": {"type": "int", "default": 600},
}


def main() -> t.NoReturn:
    run(failover, AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True))


if __name__ == "__main__":
    main()
