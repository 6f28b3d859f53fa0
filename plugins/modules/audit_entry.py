# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: audit_entry
short_description: Add a line to a log from which none can be taken
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Writes down on a host what was done with the stack, by whom, and with what outcome. An entry is one line of JSON,
    and on the disk when the module returns.
  - Where the file system can, the file is made append-only (C(chattr +a)), so that an entry is neither changed nor
    removed by mistake.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
    details: Nothing is written.
  diff_mode:
    support: full
  platform:
    support: full
    platforms: linux
options:
  verb:
    description:
      - What was done, by the name of its playbook.
    type: str
    required: true
  outcome:
    description:
      - What came of it, in a sentence.
    type: str
    required: true
  requested_by:
    description:
      - Who wanted it.
    type: str
  details:
    description:
      - Further fields of the entry. They must not hold secrets.
    type: dict
    default: {}
  path:
    description:
      - The log. Its directory is created when it is missing.
    type: path
    default: /var/log/webinfra/audit.log
notes:
  - Every call adds a line. Call it where something was done, and not in every run.
"""

EXAMPLES = r"""
- name: Write down that the primary was moved
  webinfra.stack.audit_entry:
    verb: switchover
    outcome: "{{ moved.summary }}"
    requested_by: "{{ lookup('ansible.builtin.env', 'USER') }}"
    details:
      writes_closed_ms: "{{ moved.writes_closed_ms }}"
"""

RETURN = r"""
line:
  description: The line that was added.
  returned: always
  type: str
  sample: >-
    {"at": "2026-11-24T18:40:12.034+00:00", "verb": "switchover", "requested_by": "anna", "outcome": "db2 took the
    writes over from db1, which were closed for 34 ms", "writes_closed_ms": 34.1}
append_only:
  description: Whether the file system lets nobody take lines away. Null in check mode.
  returned: always
  type: bool
  sample: true
"""

import datetime as dt
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.audit import AuditError, append_line, audit_line

OPTIONS: dict[str, dict[str, t.Any]] = {
    "verb": {"type": "str", "required": True},
    "outcome": {"type": "str", "required": True},
    "requested_by": {"type": "str"},
    "details": {"type": "dict", "default": {}},
    "path": {"type": "path", "default": "/var/log/webinfra/audit.log"},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    entry = {name: module.params[name] for name in ("verb", "requested_by", "outcome")}
    line = audit_line({**entry, **module.params["details"]}, dt.datetime.now(dt.timezone.utc))
    try:
        append_only = None if module.check_mode else append_line(module.params["path"], line)
    except AuditError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=True, line=line, append_only=append_only, diff={"before": "", "after": line})


if __name__ == "__main__":
    main()
