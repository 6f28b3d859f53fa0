# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_accounts
short_description: Create databases and give accounts exactly their rights
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Brings databases and accounts of a MariaDB or MySQL server to the wanted state, all of them in one run.
  - An account that is named here exists afterwards at exactly the hosts that are listed, with exactly the
    privileges that
    are listed. The same name at other hosts is dropped. Accounts and databases that are not named here are left
    alone.
  - Replication carries the result to the replicas, so this belongs on the primary, and is refused elsewhere.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
attributes:
  check_mode:
    support: full
    details: >-
      Predicts from the same plan. A server that takes no writes is only warned about in check mode, because an
      earlier
      task may be about to open it.
  diff_mode:
    support: full
    details: Never shows a password, only whether one is set.
  platform:
    support: full
    platforms: posix
options:
  databases:
    description:
      - Databases that shall exist.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the database. Any character is allowed.
        type: str
        required: true
      charset:
        description:
          - Character set of tables that are created without one. Existing tables are not converted.
        type: str
        default: utf8mb4
  canary_database:
    description:
      - A database for the table C(canary), which M(webinfra.stack.replication_check) writes to, and for the table
        C(heartbeat), which the primary writes to (M(webinfra.stack.replication)). All are created if missing.
        Without it no such table is made.
    type: str
  old_passwords:
    description:
      - What becomes of a password that is replaced.
      - With V(discard) it ends at once, and so does one that was kept earlier.
      - With V(keep) the account gets in with both, so that whoever still has the old one goes on working. Run the
        module with V(discard) once everybody has the new one. RV(two_passwords) says whether that is needed.
    type: str
    choices: [discard, keep]
    default: discard
  accounts:
    description:
      - Accounts that shall exist, or shall not.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the account. Each name is listed once, and the server's own accounts are refused.
        type: str
        required: true
      state:
        description:
          - V(absent) drops the account at all hosts.
        type: str
        choices: [present, absent]
        default: present
      hosts:
        description:
          - The client addresses or names that the account may come from. Required unless O(accounts[].state=absent).
        type: list
        elements: str
        default: []
      password:
        description:
          - The password. It is compared with the stored hash and set only when it differs.
          - Without it the account logs in without a password, and may then have no privileges but to read
            the table C(heartbeat) of O(canary_database).
        type: str
      privileges:
        description:
          - What the account may do. Without any it can log in and nothing else.
        type: list
        elements: dict
        default: []
        suboptions:
          object:
            description:
              - V(*.*), V(database.*) or V(database.table). An underscore is an underscore and no wildcard.
            type: str
            required: true
          grant:
            description:
              - Privileges by name. V(ALL) is refused. Name what is needed.
              - V(REPLICATION CLIENT), V(REPLICA MONITOR), V(BINLOG MONITOR) and V(REPLICATION REPLICA) are accepted
                on both engines.
            type: list
            elements: str
            required: true
      tls_required:
        description:
          - Whether the account gets in over TLS only. The socket counts as safe on MySQL and does not on MariaDB.
        type: bool
        default: true
notes:
  - Accounts log in by C(mysql_native_password) on MariaDB and by C(caching_sha2_password) on MySQL. An account with
    another method is
    moved to these.
  - Privileges on columns and routines and roles are neither read nor changed.
seealso:
  - module: webinfra.stack.replication_check
"""

EXAMPLES = r"""
- name: Give the application its database and its account
  webinfra.stack.database_accounts:
    databases:
      - name: guestbook
    canary_database: webinfra
    accounts:
      - name: guestbook
        hosts: [10.0.2.21, 10.0.2.22]
        password: "{{ database_application_password }}"
        privileges:
          - object: guestbook.*
            grant: [SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX]
      - name: replication
        hosts: [10.0.3.11, 10.0.3.12]
        password: "{{ database_replication_password }}"
        privileges:
          - object: "*.*"
            grant: [REPLICATION REPLICA]
      - name: router_check
        hosts: [10.0.2.21, 10.0.2.22]
        tls_required: false
"""

RETURN = r"""
changes:
  description: What was done, or would have to be done in check mode.
  returned: success
  type: list
  elements: str
  sample:
    - create the database guestbook (utf8mb4)
    - create guestbook@10.0.2.21
    - grant INSERT, SELECT on guestbook.* to guestbook@10.0.2.21
two_passwords:
  description: The accounts that get in with their old password as well, because of O(old_passwords=keep).
  returned: success
  type: list
  elements: str
  sample: [guestbook@10.0.2.21]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.accounts import converge_accounts
from ansible_collections.webinfra.stack.plugins.module_utils._module.login import LOGIN_OPTIONS, session_for
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError

PRIVILEGE_OPTIONS: dict[str, dict[str, t.Any]] = {
    "object": {"type": "str", "required": True},
    "grant": {"type": "list", "elements": "str", "required": True},
}
ACCOUNT_OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "password": {"type": "str", "no_log": True},
    "privileges": {"type": "list", "elements": "dict", "default": [], "options": PRIVILEGE_OPTIONS},
    "tls_required": {"type": "bool", "default": True},
}
DATABASE_OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "charset": {"type": "str", "default": "utf8mb4"},
}
OPTIONS: dict[str, dict[str, t.Any]] = {
    "databases": {"type": "list", "elements": "dict", "default": [], "options": DATABASE_OPTIONS},
    "canary_database": {"type": "str"},
    "old_passwords": {"type": "str", "choices": ["discard", "keep"], "default": "discard", "no_log": False},
    "accounts": {"type": "list", "elements": "dict", "default": [], "options": ACCOUNT_OPTIONS},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec={**LOGIN_OPTIONS, **OPTIONS}, supports_check_mode=True)
    try:
        with session_for(module.params) as session:
            outcome = converge_accounts(session, module.params, check_mode=module.check_mode)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    if outcome.warning is not None:
        module.warn(outcome.warning)
    module.exit_json(**outcome.as_result())


if __name__ == "__main__":
    main()
