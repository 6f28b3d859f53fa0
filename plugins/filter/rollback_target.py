# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rollback_target
short_description: The release to which all web servers go back
version_added: 0.1.0
description:
  - The release that ran before on all of them. After a roll that stopped half way, the one that the others still run.
  - Fails where there is not one such release, or where a server does not have it.
options:
  _input:
    description: Results of M(webinfra.stack.app_release_info) by the names of the servers.
    type: dict
    required: true
  wanted:
    description: A release by its name, instead of the one before.
    type: str
    default: ""
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
release: "{{ {'web1': info} | webinfra.stack.rollback_target }}"
"""

RETURN = r"""
_value:
  description: Name of the release.
  type: str
  sample: 0a3c5d7e9f11
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.module_utils._release.record import RollbackError
from ansible_collections.webinfra.stack.plugins.module_utils._release.record import rollback_target as target_of


def rollback_target(shelves: dict[str, dict[str, t.Any]], wanted: str = "") -> str:
    try:
        return target_of(shelves, wanted)
    except RollbackError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rollback_target": rollback_target}
