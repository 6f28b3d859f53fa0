# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_check
short_description: Find what is wrong with the inventory and with a host, before anything is changed
version_added: 0.1.0
description:
  - Fails with all problems at once, each with where it is and what to do. Runs on the controller and changes nothing.
  - Finds tiers without a host, weights and backups that balance nothing, addresses that are none or are there twice,
    flows that name nobody, an address that the load balancers cannot share, misspelt variables, values in the inventory
    that a role would refuse, missing variables, a host that does not answer, a distribution that is not supported, and
    a database engine that it does not have.
  - Tells, and does not fail for, the hosts without which reads or writes stop, and what would help.
  - What concerns several hosts is told once, by the first of them in the play. Use C(any_errors_fatal) on the play.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
    support: full
options:
  roles:
    description: Roles of this collection that the host gets. What they require must be set.
    type: list
    elements: str
    default: []
  balancers:
    description: Names of the load balancers. Without this option it is not checked that there is one.
    type: list
    elements: str
  servers:
    description: Names of the web servers. Without this option they are not checked, nor their weights.
    type: list
    elements: str
  databases:
    description: Names of the database servers. Without this option it is not checked that there is one.
    type: list
    elements: str
  virtual_ip:
    description:
      - The address that the load balancers share; empty when they share none. A host with the role C(virtual_ip) among
        O(roles) is held against it by what M(webinfra.stack.host_survey) returned, given as O(facts).
    type: str
    default: ""
  url:
    description: Where clients ask. Two load balancers are one point of failure when it leads to one of them.
    type: str
    default: ""
  application:
    description: The application as C(webinfra_app) describes it. Where its releases come from is checked.
    type: dict
    default: {}
  tls:
    description: How clients are answered over TLS. Without it, it is not checked.
    type: dict
    suboptions:
      mode:
        description: Where the certificate is from, V(none), V(internal), V(provided) or V(acme).
        type: str
        required: true
      names:
        description: Names under which clients ask.
        type: list
        elements: str
        default: []
      certificate:
        description: The certificate that is provided, with its chain, in PEM.
        type: str
        default: ""
      private_key:
        description: Its private key, in PEM.
        type: str
        default: ""
  facts:
    description:
      - The registered result of M(ansible.builtin.setup) with the subset V(distribution), run with
        C(ignore_unreachable) and C(failed_when=false). Without this option nothing is checked on the host itself.
    type: dict
  flows:
    description: The flow matrix, as P(webinfra.stack.firewall_rules#filter) describes it.
    type: list
    elements: dict
    default: []
  stack_variables:
    description:
      - Variables with the prefix C(webinfra_) that users may set, each with its description as in an argument spec.
        Others with this prefix are refused. With an empty dictionary that prefix is not looked at.
    type: dict
    default: {}
  known_variables:
    description: Variables that look misspelt and are somebody else's.
    type: list
    elements: str
    default: []
  allow_untested:
    description: Whether a distribution that is not supported is let through.
    type: bool
    default: false
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Ask the host what it is
  ansible.builtin.setup:
    gather_subset: ["!all", "!min", distribution]
  register: facts
  ignore_unreachable: true
  failed_when: false

- name: Check the inventory and the host
  webinfra.stack.inventory_check:
    roles: [firewall, load_balancer]
    balancers: "{{ groups['load_balancers'] | default([]) }}"
    servers: "{{ groups['web_servers'] | default([]) }}"
    databases: "{{ groups['db_servers'] | default([]) }}"
    facts: "{{ facts }}"
"""

RETURN = r"""
single_points:
  description: Hosts without which reads or writes stop, by the inventory. The first host of the play returns them.
  type: list
  elements: dict
  returned: success
  sample:
    - tier: load_balancers
      host: lb1
      stops: reads and writes
      remedy: add a second host to load_balancers, and set webinfra_virtual_ip
"""
