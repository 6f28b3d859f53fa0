# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: replication_check
short_description: Fail with reasons unless replication works
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Asks all database servers of a topology at once, over TCP, and fails with everything that is wrong with them, one
    finding a line, each with what to do about it.
  - With O(canary=true) it also writes one row on the primary and waits until every replica shows it. That row is the
    measurement and not a change of state, so RV(ignore:changed) is always V(false).
extends_documentation_fragment:
  - webinfra.stack.attributes
attributes:
  check_mode:
    support: partial
    details: >-
      Everything is checked but the canary, which would write. It does not fly in check mode, and RV(canary) says
      so.
  diff_mode:
    support: N/A
    details: Changes nothing.
  platform:
    support: full
    platforms: posix
options:
  servers:
    description:
      - All database servers of the topology.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the server is called in findings and results.
        type: str
        required: true
      host:
        description:
          - Name or address of the server, from where the module runs.
        type: str
        required: true
      port:
        description:
          - TCP port of the server.
        type: int
        default: 3306
      addresses:
        description:
          - Other names and addresses by which its replicas may follow it.
        type: list
        elements: str
        default: []
  primary:
    description:
      - The name of the server that should be the primary. Without it any one server may be.
    type: str
  max_lag:
    description:
      - By how many seconds a replica may be behind its source.
    type: int
    default: 30
  tls_required:
    description:
      - Whether a link between servers without TLS is a finding.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to ask again until there is no finding. With V(0) the first answer counts.
    type: int
    default: 0
  canary:
    description:
      - Whether to write a row on the primary and look for it on the replicas.
      - Needs a table, which M(webinfra.stack.database_accounts) creates, and V(SELECT), V(INSERT) and V(UPDATE) on
        it.
    type: bool
    default: false
  canary_database:
    description:
      - The schema with the table C(canary).
    type: str
    default: webinfra
  canary_timeout:
    description:
      - How many seconds to wait for the row on a replica before it counts as lost.
    type: float
    default: 5
  canary_target:
    description:
      - A row that takes longer than this many seconds is a finding of its own. Without it only a lost row is one.
    type: float
  login_user:
    description:
      - The account to log in with, on every server. Needs V(REPLICATION CLIENT) and V(PROCESS), and on MySQL
        V(SELECT) on C(performance_schema.*) to see why an applier has stopped.
    type: str
    required: true
  login_password:
    description:
      - The password of O(login_user).
    type: str
    default: ""
  ca_file:
    description:
      - File with the authority of the servers' certificates, where the module runs.
      - With it every connection must be TLS, and every certificate must be signed by this authority and name the
        server as O(servers[].host) does. Without it nothing is verified.
    type: path
  connect_timeout:
    description:
      - How many seconds to wait for a connection before a server counts as unreachable.
    type: int
    default: 3
requirements:
  - PyMySQL (the package C(python3-pymysql) on Debian)
  - MariaDB 10.11 or later, or MySQL 9 or later
seealso:
  - module: webinfra.stack.replication
  - module: webinfra.stack.database_accounts
"""

EXAMPLES = r"""
- name: Check that replication works, and that a row reaches the replica
  webinfra.stack.replication_check:
    servers:
      - name: db1
        host: 10.0.3.11
      - name: db2
        host: 10.0.3.12
    login_user: monitoring
    login_password: "{{ database_monitoring_password }}"
    ca_file: /etc/mysql/tls/ca.pem
    canary: true
    timeout: 30
"""

RETURN = r"""
primary:
  description: The name of the primary. Null unless there is exactly one.
  returned: always
  type: str
  sample: db1
replicas:
  description: The names of the servers that have a source.
  returned: always
  type: list
  elements: str
  sample: [db2]
findings:
  description: Everything that is wrong, the worst of it first.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - V(server_unreachable), V(no_primary), V(two_primaries), V(wrong_primary), V(wrong_source),
          V(thread_stopped),
          V(lag), V(errant_transactions), V(replica_writable), V(gtid_off), V(link_without_tls),
          V(duplicate_server_id), V(canary_lost) or V(canary_slow).
      type: str
      returned: always
    severity:
      description: V(critical) or V(warning).
      type: str
      returned: always
    server:
      description: The server that it was found on.
      type: str
      returned: always
    reason:
      description: What is wrong, with figures.
      type: str
      returned: always
    action:
      description: What to do about it.
      type: str
      returned: always
  sample:
    - name: thread_stopped
      severity: critical
      server: db2
      reason: its SQL thread (source 10.0.3.11:3306) is stopped, without an error
      action: look into the server's error log, then run this again to start replication
canary:
  description: Whether the row was written, and after how many seconds each replica showed it.
  returned: always
  type: dict
  sample:
    flown: true
    reason: null
    seconds:
      db2: 0.004
servers:
  description: What every server that could be asked says, as RV(webinfra.stack.replication_info#module:replication).
  returned: always
  type: dict
  sample:
    db1:
      role: primary
    db2:
      role: replica
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.check import Report, check
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

SERVER_OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 3306},
    "addresses": {"type": "list", "elements": "str", "default": []},
}
OPTIONS: dict[str, dict[str, t.Any]] = {
    "servers": {"type": "list", "elements": "dict", "required": True, "options": SERVER_OPTIONS},
    "primary": {"type": "str"},
    "max_lag": {"type": "int", "default": 30},
    "tls_required": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 0},
    "canary": {"type": "bool", "default": False},
    "canary_database": {"type": "str", "default": "webinfra"},
    "canary_timeout": {"type": "float", "default": 5},
    "canary_target": {"type": "float"},
    "login_user": {"type": "str", "required": True},
    "login_password": {"type": "str", "default": "", "no_log": True},
    "ca_file": {"type": "path"},
    "connect_timeout": {"type": "int", "default": 3},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    try:
        report: Report = check(module.params, check_mode=module.check_mode, clock=time.monotonic, sleep=time.sleep)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    if report.findings:
        module.fail_json(msg=report.message, **report.as_result())
    module.exit_json(**report.as_result())


if __name__ == "__main__":
    main()
