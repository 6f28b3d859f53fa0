# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: status_report
short_description: Judge the stack and write it on one page
version_added: 0.1.0
description:
  - Judges what hosts, load balancers and databases have answered, prints it as a tree, and writes C(status.json),
    C(status.html), C(status.md) and C(status.prom). Runs on the controller. C(playbooks/files/status.schema.json)
    describes C(status.json).
  - A host that did not answer is shown as unreachable. Without an answer from anybody the page says so.
  - The files are a report and no change of state, so RV(ignore:changed) is always V(false).
extends_documentation_fragment: [webinfra.stack.attributes, webinfra.stack.shown_stack]
attributes:
  check_mode:
    support: full
    details: The tree is printed, and no file is written.
  diff_mode:
    support: none
  platform:
    platforms: posix
    support: full
options:
  release_link:
    description: The symbolic link on web servers that points to the release that runs. Empty to show no release.
    type: str
    default: ""
  certificates:
    description: By host the certificates that its load balancer was given, as the role C(load_balancer) accepts them.
    type: dict
    default: {}
  surveys:
    description: By host the result of M(webinfra.stack.host_survey), also one that failed or says unreachable.
    type: dict
    required: true
  balancers:
    description: By host the result of M(webinfra.stack.load_balancer_info).
    type: dict
    required: true
  databases:
    description: By host the result of M(webinfra.stack.replication_check). That which saw most servers counts.
    type: dict
    required: true
  directory:
    description: Folder on the controller for the files. It is created when it is missing.
    type: path
    required: true
  fail_on:
    description: How bad a finding must be to fail, after everything was written. With V(never) none does.
    type: str
    choices: [never, critical, warning]
    default: never
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Show the stack
  webinfra.stack.status_report:
    url: http://127.0.0.1:8080
    hosts: "{{ hostvars | webinfra.stack.stack_hosts(groups) }}"
    provider: haproxy
    engine: mariadb
    surveys: {lb1: "{{ hostvars['lb1'].survey }}"}
    balancers: {lb1: "{{ hostvars['lb1'].balancer }}"}
    databases: {db1: "{{ hostvars['db1'].replication }}"}
    directory: /srv/status
"""

RETURN = r"""
level:
  description: V(well), V(warning) or V(critical), that of the worst finding.
  returned: always
  type: str
  sample: well
paths:
  description: Where the files are, by their names. Empty in check mode.
  returned: always
  type: dict
  sample:
    status.html: /srv/status/status.html
sentence:
  description: The verdict in one sentence, the worst first.
  returned: always
  type: str
  sample: "All is well: 2 web servers answer, db1 takes writes, 1 replica follows."
"""
