# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: replication_info
short_description: Say what a database server is in its replication topology
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Reads role, source, threads, lag and GTID history of a MariaDB or MySQL server, in the same words for both.
  - It says what is there and judges nothing. M(webinfra.stack.replication_check) does.
  - It answers within O(connect_timeout) and 0.8 seconds, whatever hangs. A server whose disk is full does not say whom
    it follows. Then the threads are read from its process list, and RV(replication.unread) names what is missing.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: N/A
    details: Changes nothing.
  platform:
    support: full
    platforms: posix
options:
  connect_timeout:
    description:
      - How many seconds to wait for a connection before the server counts as unreachable.
    type: int
    default: 1
  heartbeat_database:
    description:
      - The schema with the table C(heartbeat), which M(webinfra.stack.replication) keeps up to date on the primary.
    type: str
    default: webinfra
  source_user:
    description:
      - With this account the source of a replica is asked as well, for what the replica lacks and for what it has
        alone, RV(beside_source). No privilege is needed for that; the account of the link will do.
      - Without it the module asks one server, which cannot know either.
    type: str
  source_password:
    description:
      - The password of that account.
    type: str
  source_ca_file:
    description:
      - File with the authorities to trust at the source. Without it O(ca_file) is used.
    type: path
notes:
  - The account needs V(REPLICATION CLIENT) and V(PROCESS), which M(webinfra.stack.database_accounts) grants on both
    engines under these names. To see heartbeats it needs V(SELECT) on their table, and on MySQL V(SELECT) on
    C(performance_schema.*) to see why an applier has stopped, and whether threads run while the status hangs.
seealso:
  - module: webinfra.stack.replication
  - module: webinfra.stack.replication_check
  - plugin: webinfra.stack.chosen_primary
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read what this server is
  webinfra.stack.replication_info:
  register: database

- name: Read what it lacks and what it has alone
  webinfra.stack.replication_info:
    source_user: replication
    source_password: "{{ replication_password }}"
    source_ca_file: /etc/mysql/tls/ca.pem

- name: Show it
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} is a {{ database.replication.role }}"
"""

RETURN = r"""
beside_source:
  description:
    - The replica's history beside that of its source, which is asked after it. Null without O(source_user) and for a
      server that follows nobody.
  returned: success
  type: dict
  contains:
    problem:
      description: Why the source could not be asked. Null when it was.
      type: str
      returned: success
      sample: null
    transactions_behind:
      description: How many transactions the source has and the replica has not applied. Null when nobody can tell.
      type: int
      returned: success
      sample: 0
    errant_transactions:
      description:
        - What the replica has and the source lacks, as a GTID set; empty for nothing. Something wrote there that was
          not the replication. Null when nobody can tell.
      type: str
      returned: success
      sample: ""
replication:
  description: The server's place in its topology.
  returned: success
  type: dict
  contains:
    engine:
      description: V(mariadb) or V(mysql).
      type: str
      returned: success
      sample: mysql
    version:
      description: The server's version.
      type: str
      returned: success
      sample: 9.7.4-2
    server_id:
      description: The number that must differ between all servers of a topology.
      type: int
      returned: success
      sample: 2
    server_uuid:
      description: MySQL's own identity of the server. Null on MariaDB.
      type: str
      returned: success
      sample: 75351a74-e77c-11f1-a19a-0242ac130007
    role:
      description:
        - V(primary) takes writes and follows nobody. V(replica) has a source configured, whether or not it works.
          V(standalone) takes no writes and follows nobody.
      type: str
      returned: success
      sample: replica
    read_only:
      description: Whether ordinary accounts cannot write.
      type: bool
      returned: success
      sample: true
    super_read_only:
      description: Whether administrators cannot write either. Null on MariaDB, which has no such lock.
      type: bool
      returned: success
      sample: true
    log_bin:
      description: Whether the binary log is on.
      type: bool
      returned: success
      sample: true
    gtid_enabled:
      description: Whether the server keeps a complete GTID history, replicated transactions included.
      type: bool
      returned: success
      sample: true
    gtid_executed:
      description: >-
        The transactions that the server has. On MariaDB the last sequence number of each domain and server.
      type: str
      returned: success
      sample: 74768b4c-e77c-11f1-8748-0242ac130006:1-6
    pristine:
      description:
        - Whether nothing would be lost if this server started over. It has no schema but the system's, no source and
          no replica.
      type: bool
      returned: success
      sample: false
    has_user_schemas:
      description: Whether there is a schema besides the system's, as far as the account can see them.
      type: bool
      returned: success
      sample: true
    connected_replicas:
      description: >-
        The addresses of the replicas that read from this server now. Empty without the privilege V(PROCESS).
      type: list
      elements: str
      returned: success
      sample: []
    uptime_seconds:
      description: For how long the server has been running.
      type: int
      returned: success
      sample: 337
    source:
      description: Whom the server follows. Null when no source is configured.
      type: dict
      returned: success
      sample:
        host: 172.19.0.6
        port: 3306
        user: replication
        tls: true
        tls_verified: true
        ca_file: /tls/ca.pem
        auto_position: true
        server_id: 1
        server_uuid: 74768b4c-e77c-11f1-8748-0242ac130006
        established: true
    io_thread:
      description: >-
        V(running), V(connecting) or V(stopped). The thread that reads from the source. Null without a source.
      type: str
      returned: success
      sample: running
    sql_thread:
      description: V(running), V(connecting) or V(stopped). The thread that applies. Null without a source.
      type: str
      returned: success
      sample: running
    last_io_error:
      description: Code and message of the IO thread's last error, as the engine puts it. Null when there is none.
      type: dict
      returned: success
      sample:
        code: 1045
        message: >-
          Error connecting to source 'r@172.19.0.6:3306'. This was attempt 1/0, with a delay of 5 seconds between
          attempts. Message: Access denied for user 'r'@'172.19.0.7' (using password: YES)
    last_sql_error:
      description: >-
        Code and message of the SQL thread's last error. On MySQL the worker's own words. Null when there is none.
      type: dict
      returned: success
      sample: null
    lag_seconds:
      description: How far the server is behind its source. Null when a thread is not running.
      type: int
      returned: success
      sample: 0
    gtid_received:
      description: The transactions that have come from the source, applied or not. Null without a source.
      type: str
      returned: success
      sample: 74768b4c-e77c-11f1-8748-0242ac130006:1-6
    transactions_to_apply:
      description: How many transactions have come from the source and wait. Null without a source.
      type: int
      returned: success
      sample: 0
    waits_for_disk:
      description:
        - Whether a replication thread waits for space on a full disk. Its state says V(running) all the same.
          Null without a source.
      type: bool
      returned: success
      sample: false
    gtid_purged:
      description: >-
        The transactions whose binary logs are gone. A replica that lacks one of them has to be seeded.
      type: str
      returned: success
      sample: 74768b4c-e77c-11f1-8748-0242ac130006:1-4
    binlog_retention_seconds:
      description: For how many seconds binary logs are kept. V(0) is for ever.
      type: int
      returned: success
      sample: 864000
    applier_threads:
      description: How many transactions are applied at a time. V(0) and V(1) mean one after the other.
      type: int
      returned: success
      sample: 4
    commit_order_kept:
      description: >-
        Whether transactions that are applied in parallel are committed in the order of the source. MariaDB always does.
      type: bool
      returned: success
      sample: true
    semi_sync:
      description:
        - How commits wait for replicas here, and whether this server acknowledges to its source. Null on MySQL while
          the plugins are not loaded.
        - C(source_enabled) and not C(source_active) means that it has fallen back, so that commits wait for nobody. So
          they do on MariaDB without an acknowledging replica, unless C(waits_without_replica), although it is active.
      type: dict
      returned: success
      sample:
        source_enabled: true
        source_active: true
        replica_enabled: true
        replica_active: false
        wait_after_sync: true
        timeout_seconds: 1.0
        acknowledging_replicas: 1
        waits_without_replica: true
        wait_for_replicas: 1
    heartbeat_age_seconds:
      description:
        - How old the newest heartbeat of its source is by this server's clock. Of this server itself, if it has no
          source.
        - Unlike RV(replication.lag_seconds) it grows while a thread is stopped. Null when there is none to be seen.
      type: float
      returned: success
      sample: 0.534
    beat_of_another:
      description:
        - The newest heartbeat that the server has and has not written itself. It is of its source, or of who took the
          writes before it. Null when there is none to be seen.
      type: dict
      returned: success
      contains:
        server_id:
          description: Who wrote it.
          type: int
          returned: success
        age_seconds:
          description: How old it is, in seconds, by this server's clock.
          type: float
          returned: success
        commit_wait_seconds:
          description: For how many seconds its commits waited for a replica. Null if they did not wait.
          type: float
          returned: success
        acknowledging_replicas:
          description: How many replicas were there to acknowledge. Null if it could not know.
          type: int
          returned: success
      sample:
        server_id: 167772161
        age_seconds: 0.534
        commit_wait_seconds: 4294967.0
        acknowledging_replicas: 2
    event_scheduler:
      description: Whether the event scheduler is on. It writes the heartbeat.
      type: bool
      returned: success
      sample: true
    clock:
      description: What time it was on the server when it was asked, in seconds since 1970 in UTC.
      type: float
      returned: success
      sample: 1795541389.092585
    unread:
      description:
        - The statement that the server did not answer in time. Null when it answered everything.
        - Else RV(replication.source) names no host, and lag, errors, received and purged transactions are not known.
      type: str
      returned: success
      sample: null
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS
from ansible_collections.webinfra.stack.plugins.module_utils._module.look import beside_source, look
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

OPTIONS: dict[str, dict[str, t.Any]] = {
    **LOGIN_OPTIONS,
    "connect_timeout": {"type": "int", "default": 1},
    "heartbeat_database": {"type": "str", "default": "webinfra"},
    "source_user": {"type": "str"},
    "source_password": {"type": "str", "no_log": True},
    "source_ca_file": {"type": "path"},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    try:
        status = look(module.params)
        beside = beside_source(status, module.params)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, replication=status.as_result(), beside_source=beside)


if __name__ == "__main__":
    main()
