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
  - It answers within O(connect_timeout) and 0.8 seconds, whatever hangs, unless O(timeout) or O(canary) say to wait. A
    server that cannot say everything in time is a finding, and so is one that cannot be asked.
  - With O(canary=true) it also writes one row on the primary and waits until every replica shows it. That row is the
    measurement and not a change of state, so RV(ignore:changed) is always V(false).
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.servers
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
  primary:
    description:
      - The name of the server that should be the primary. Without it any one server may be.
    type: str
  max_lag:
    description:
      - By how many seconds a replica may be behind its source, by the engine's count or by the heartbeat. The latter
        goes on while a thread is stopped.
    type: int
    default: 30
  max_heartbeat_age:
    description:
      - How many seconds old the primary's last heartbeat may be. With it a heartbeat must be there, on every server.
        Without it nobody has to write one, and one that is there only serves to measure the lag.
    type: float
  longest_outage:
    description:
      - For how many seconds a replica may be away and still find everything that it missed. A server that keeps its
        binary logs for a shorter time is a finding. Without it the time is not judged.
    type: int
  max_clock_skew:
    description:
      - By how many seconds the clock of a server may differ from the primary's, or from the one of the host where the
        module runs. What the question itself took does not count.
    type: float
    default: 5
  semi_sync_required:
    description:
      - Whether it is a finding that semi-synchronous replication is off on the primary. That it is on and has fallen
        back is always one.
    type: bool
    default: false
  tls_required:
    description:
      - Whether a link between servers without TLS, or one that does not check the source's certificate, is a finding.
    type: bool
    default: true
  timeout:
    description:
      - How many seconds to ask again until there is no finding that fails. With V(0) the first answer counts.
    type: int
    default: 0
  fail_on:
    description:
      - How bad a finding must be to fail. With V(warning) all of them fail. With V(critical) the others are only
        returned, and shown as warnings.
    type: str
    choices: [critical, warning]
    default: warning
  textfile:
    description:
      - A file to write the same findings and figures to, as Prometheus text for the textfile collector of
        node-exporter. Its name has to end in C(.prom) to be collected.
      - It is replaced in one step, is readable by everybody, and is not written in check mode.
      - Without it nothing is written.
    type: path
  canary:
    description:
      - Whether to write a row on the primary and look for it on the replicas.
      - Needs a table, which M(webinfra.stack.database_accounts) creates, and V(SELECT), V(INSERT) and V(UPDATE) on
        it.
    type: bool
    default: false
  canary_database:
    description:
      - The schema with the tables C(canary) and C(heartbeat).
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
        V(SELECT) on C(performance_schema.*) to see why an applier has stopped, or whether it runs while the status
        hangs. To see heartbeats it needs V(SELECT) on their table.
    type: str
    required: true
notes:
  - "The metrics begin with C(webinfra_replication_). Of the check: C(check_timestamp_seconds),
    C(check_duration_seconds), C(findings) by severity, C(finding) by name, which says 0 for what was not found,
    and C(finding_info) with name, severity and server."
  - "Of each server: C(server_up), C(server_role), C(lag_seconds), C(heartbeat_lag_seconds),
    C(heartbeat_age_seconds), C(transactions_behind), C(transactions_to_apply), C(io_thread_running),
    C(sql_thread_running), C(read_only), C(semi_sync_active), C(semi_sync_acknowledging_replicas),
    C(binlog_retention_seconds), C(clock_offset_seconds) and C(uptime_seconds). What a server does not have is left
    out."
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

- name: Judge everything, and leave the figures for Prometheus
  webinfra.stack.replication_check:
    servers:
      - name: db1
        host: 10.0.3.11
      - name: db2
        host: 10.0.3.12
    login_user: monitoring
    login_password: "{{ database_monitoring_password }}"
    ca_file: /etc/mysql/tls/ca.pem
    max_heartbeat_age: 5
    longest_outage: 172800
    semi_sync_required: true
    fail_on: critical
    textfile: /var/lib/prometheus/node-exporter/replication.prom
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
        - V(server_unreachable), V(status_hangs), V(disk_full), V(no_primary), V(two_primaries), V(wrong_primary),
          V(duplicate_server_id), V(duplicate_server_uuid), V(gtid_off), V(wrong_source), V(thread_stopped),
          V(replica_writable), V(errant_transactions), V(purged_transactions_needed), V(semi_sync_degraded),
          V(stranger_acknowledges), V(canary_lost), and these which are warnings, V(lag), V(link_without_tls),
          V(unequal_versions), V(retention_too_short), V(heartbeat_missing), V(heartbeat_old), V(clock_skew),
          V(canary_slow).
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
seconds:
  description: How long all servers together took to answer.
  returned: always
  type: float
  sample: 0.021
servers:
  description:
    - What every server that could be asked says, as RV(webinfra.stack.replication_info#module:replication).
    - Besides, what shows only beside the primary, C(transactions_behind), C(gtid_errant), the transactions that the
      primary lacks, C(heartbeat_lag_seconds), in which no clock skew is, and C(clock_offset_seconds), by how much its
      clock is ahead of the one where the module runs.
  returned: always
  type: dict
  sample:
    db1:
      role: primary
    db2:
      role: replica
      transactions_behind: 0
      gtid_errant: ""
      heartbeat_lag_seconds: 0.0
      clock_offset_seconds: 0.004
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._files.textfile import TextfileError, write_textfile
from ansible_collections.webinfra.stack.plugins.module_utils._module.check import Report, check
from ansible_collections.webinfra.stack.plugins.module_utils._module.servers import SERVERS_OPTIONS
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

OPTIONS: dict[str, dict[str, t.Any]] = {
    **SERVERS_OPTIONS,
    "primary": {"type": "str"},
    "max_lag": {"type": "int", "default": 30},
    "max_heartbeat_age": {"type": "float"},
    "longest_outage": {"type": "int"},
    "max_clock_skew": {"type": "float", "default": 5},
    "semi_sync_required": {"type": "bool", "default": False},
    "tls_required": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 0},
    "fail_on": {"type": "str", "choices": ["critical", "warning"], "default": "warning"},
    "textfile": {"type": "path"},
    "canary": {"type": "bool", "default": False},
    "canary_database": {"type": "str", "default": "webinfra"},
    "canary_timeout": {"type": "float", "default": 5},
    "canary_target": {"type": "float"},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    try:
        report: Report = check(module.params, check_mode=module.check_mode, clock=time.monotonic, sleep=time.sleep)
        if module.params["textfile"] and not module.check_mode:
            write_textfile(module.params["textfile"], report.as_metrics(time.time()))
    except (DatabaseError, TextfileError) as exc:
        module.fail_json(msg=str(exc))
    for remark in report.remarks:
        module.warn(str(remark))
    if report.failures:
        module.fail_json(msg=report.message, **report.as_result())
    module.exit_json(**report.as_result())


if __name__ == "__main__":
    main()
