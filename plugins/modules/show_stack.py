# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: show_stack
short_description: Print the stack as a tree
version_added: 0.1.0
description:
  - Prints what verify has seen, tier by tier, the same under every output callback. Runs on the controller.
extends_documentation_fragment: [webinfra.stack.attributes, webinfra.stack.shown_stack]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
    support: full
options:
  release:
    description: Release of the application.
    type: str
    required: true
  shares:
    description: Requests that each web server answered, from M(webinfra.stack.balance_check).
    type: dict
    required: true
  overrides:
    description: What was set for servers at run time, RV(webinfra.stack.load_balancer_info#module:overrides).
    type: dict
    default: {}
  holders:
    description: Names of the load balancers that have O(shared_address) now.
    type: list
    elements: str
    default: []
  replication:
    description: The result of M(webinfra.stack.replication_check).
    type: dict
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Show the stack
  webinfra.stack.show_stack:
    url: http://127.0.0.1:8080
    hosts: "{{ hostvars | webinfra.stack.stack_hosts(groups) }}"
    provider: haproxy
    engine: mariadb
    release: 3f1c9a0b77de
    shares: "{{ balance.shares | items2dict(key_name='name', value_name='observed') }}"
    replication: "{{ replication }}"
"""

RETURN = r"""
lines:
  description: The lines of the tree, without colour.
  returned: success
  type: list
  elements: str
  sample:
    - http://127.0.0.1:8080
    - ├─ load balancers
    - │  └─ ● lb1  10.20.0.11  haproxy
"""
