# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: room_program
short_description: A program of this collection in one file, for a host without Ansible
version_added: 0.1.0
description:
  - Packs C(program.py) of a room of C(plugins/module_utils), and all that it imports from this collection, into one
    archive that C(python3) runs.
  - The same version of the collection always makes the same file, byte by byte.
options:
  _input:
    description: Name of the room.
    type: str
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Bring the guard to the host
  webinfra.stack.configured_service:
    name: webinfra-primary-guard.service
    files:
      - path: /usr/local/lib/webinfra/primary_guard.pyz
        encoded_content: "{{ '_guard' | webinfra.stack.room_program }}"
"""

RETURN = r"""
_value:
  description: The file in base64.
  type: str
  sample: UEsDBBQAAAAAAAAAIQA...
"""

import base64
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils.room_program import RoomProgramError
from ansible_collections.webinfra.stack.plugins.plugin_utils.room_program import room_program as pack


def room_program(room: str) -> str:
    try:
        return base64.b64encode(pack(room)).decode()
    except RoomProgramError as exc:
        raise AnsibleFilterError(f"room_program: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"room_program": room_program}
