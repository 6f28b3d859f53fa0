# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: verb
short_description: Run a playbook in a process of its own, as an operator does
version_added: 0.1.0
description:
  - Starts C(ansible-playbook) on the controller with the inventory, the extra variables, the vault and the login of
    this run, and waits for its end. So Ansible's own start is part of what is measured.
  - A password that was typed in is not passed on.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: none
    details: Is skipped.
  diff_mode:
    support: none
  platform:
    platforms: posix
    support: full
options:
  playbook:
    description: Name of the playbook, or its path.
    type: str
    required: true
  variables:
    description: Extra variables, beside those of this run.
    type: dict
    default: {}
  environment:
    description: Environment of the process, beside that of this run.
    type: dict
    default: {}
  timeout:
    description: Seconds after which it is killed, with everything that it has started.
    type: int
    default: 900
  must_succeed:
    description: Whether a playbook that fails is a failure. With V(false) RV(code) tells it.
    type: bool
    default: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Move the primary
  webinfra.stack.verb:
    playbook: webinfra.stack.switchover
    variables:
      switchover_target: db2
"""

RETURN = r"""
began:
  description: When the process was started, in seconds since 1970.
  returned: success
  type: float
  sample: 1790000000.123
seconds:
  description: How long it took, Ansible's own start included.
  returned: success
  type: float
  sample: 3.417
code:
  description: Its exit code. Negative where it was killed.
  returned: success
  type: int
  sample: 0
changed_hosts:
  description: How many results have changed something, for every host with any.
  returned: success
  type: dict
  sample:
    db2: 1
changes:
  description: The tasks that have changed something, and on which host.
  returned: success
  type: list
  elements: str
  sample: [Move the writes on db2]
complaints:
  description: The tasks that have failed, on which host and why.
  returned: success
  type: list
  elements: str
  sample: ["Write a row on the primary and read it on the replicas on db1: lag: db2 is 12 s behind"]
result:
  description: The last result in it that has C(writes_closed_ms). Empty where there is none.
  returned: success
  type: dict
  sample:
    primary: db2
    writes_closed_ms: 31.4
output:
  description: The last lines that it has printed.
  returned: success
  type: str
  sample: "db2 : ok=3 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0"
"""
