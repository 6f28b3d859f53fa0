# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What a stack is, for those who show it."""

    DOCUMENTATION = r"""
options:
  url:
    description: Where clients reach the stack.
    type: str
    required: true
  hosts:
    description: The result of P(webinfra.stack.stack_hosts#filter).
    type: list
    elements: dict
    required: true
  provider:
    description: Program that balances.
    type: str
    required: true
  engine:
    description: Engine of the databases.
    type: str
    required: true
  shared_address:
    description: Address that the load balancers share; empty when they share none.
    type: str
    default: ""
"""
