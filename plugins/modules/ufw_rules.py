# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ufw_rules
short_description: Let in exactly what is declared, with UFW
version_added: 0.1.0
description:
  - Converges the firewall of a host in one call. UFW is switched on, denies what comes in and what is routed,
    lets out everything, or with O(outgoing=deny) what O(rules) says, and lets in what O(rules) says, over both
    IPv4 and IPv6.
  - Rules that this module wrote and that are no longer declared are removed. It knows them by their comment,
    which begins with C(webinfra:). Rules of others stay and are reported, unless O(foreign_rules=remove).
  - New rules are there before the firewall is switched on, and old ones go last, so no connection that the
    declared rules admit is refused on the way.
  - Nothing is changed, and the module fails, when the rules would not let in again who has an SSH session open now.
  - The kernel is compared too. A firewall that is switched on and does not filter, or filters by other rules,
    is loaded anew.
extends_documentation_fragment: [webinfra.stack.attributes, webinfra.stack.survey]
attributes:
  check_mode:
    support: full
    details:
      - On a host without UFW it predicts the change from an empty firewall.
  diff_mode:
    support: full
  platform:
    platforms: debian
    support: full
options:
  rules:
    description:
      - What to let in, and out. P(webinfra.stack.firewall_rules#filter) makes it from the flow matrix.
      - A rule of somebody else about the same source, port and protocol is replaced.
    type: list
    elements: dict
    required: true
    suboptions:
      from:
        description:
          - IP address or network that may come in; V(any) is everybody, over IPv4 and IPv6. Exactly one of
            O(rules[].from) and O(rules[].to) is needed.
        type: str
      to:
        description: IP address or network where this host may go, of use with O(outgoing=deny); V(any) is everywhere.
        type: str
      port:
        description: Port on this host, or there. Needed with V(tcp) and V(udp); V(vrrp) has none.
        type: int
      protocol:
        description: Protocol of the port. V(vrrp) needs UFW 0.36.2.
        type: str
        choices: [tcp, udp, vrrp]
        default: tcp
      comment:
        description: Why, for whoever reads C(ufw status) later. C(webinfra:) is put in front of it.
        type: str
        required: true
  outgoing:
    description:
      - Whether this host may go wherever it likes. With V(deny) it may go where O(rules) says, and answer who comes in.
    type: str
    choices: [allow, deny]
    default: allow
  enabled:
    description: Whether the firewall is on. V(false) switches it off, and the rules wait in UFW's files.
    type: bool
    default: true
  foreign_rules:
    description:
      - What becomes of rules that this module did not write. V(report) leaves them in force and returns them,
        V(remove) removes them.
    type: str
    choices: [report, remove]
    default: report
  confirm_within:
    description:
      - Seconds within which a new connection from the controller must succeed after a change. Otherwise the host brings
        its former rules back by itself, and the module fails. An open one survives every rule and proves nothing.
      - With V(0) there is no way back.
    type: int
    default: 30
notes:
  - M(community.general.ufw) needs a call for each rule and cannot remove rules that are no longer declared.
    Hence this module.
  - A rule of somebody else that denies may stand before a declared one and outrank it. RV(foreign_rules) shows it.
  - Needs root, and the packages ufw and iproute2.
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Let in SSH, and the web servers to the database
  webinfra.stack.ufw_rules:
    rules:
      - {from: any, port: 22, comment: ssh (controller)}
      - {from: 10.20.0.21, port: 3306, comment: sql (web1)}
      - {from: 10.20.0.22, port: 3306, comment: sql (web2)}

- name: Let in nothing but what the flow matrix says
  webinfra.stack.ufw_rules:
    rules: "{{ flows | webinfra.stack.firewall_rules(hosts, inventory_hostname) }}"
    foreign_rules: remove
"""

RETURN = r"""
rules_added:
  description: Rules that were added or replaced, or would be.
  returned: success
  type: list
  elements: str
  sample: ["allow 3306/tcp from 10.20.0.21  # webinfra: sql (web1)"]
rules_removed:
  description: Rules that were removed, or would be.
  returned: success
  type: list
  elements: str
  sample: ["allow 3306/tcp from 10.20.0.23  # webinfra: sql (web3)"]
foreign_rules:
  description: Rules in force that this module did not write.
  returned: success
  type: list
  elements: str
  sample: ["limit 2222/tcp from any"]
unconfirmed:
  description: Whether the new rules would go back by themselves if no new connection had confirmed them.
  returned: success
  type: bool
  sample: true
commands:
  description: What C(ufw) was told, or would be.
  returned: success
  type: list
  elements: str
  sample: ["ufw allow proto tcp from 10.20.0.21 to any port 3306 comment 'webinfra: sql (web1)'"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._firewall.convergence import ARGUMENTS, converge
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import UfwError
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.rules import (
    DeclaredRuleError,
    UnreadableRuleError,
)
from ansible_collections.webinfra.stack.plugins.module_utils._module.ufw import Ufw

OPTIONS: dict[str, t.Any] = {**ARGUMENTS, "survey": {"type": "dict"}}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    try:
        result = converge(Ufw(module), module.params, check_mode=module.check_mode)
    except (DeclaredRuleError, UnreadableRuleError, UfwError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
