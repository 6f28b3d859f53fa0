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
notes:
  - The account needs V(REPLICATION CLIENT) and V(PROCESS), which M(webinfra.stack.database_accounts) grants on both
    engines under these names.
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

- name: Show it
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} is a {{ database.replication.role }}"
"""

RETURN = r"""
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
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS, session_for
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=LOGIN_OPTIONS, supports_check_mode=True)
    try:
        with session_for(module.params) as session:
            status = session.dialect.read_status(session)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, replication=status.as_result())


if __name__ == "__main__":
    main()
