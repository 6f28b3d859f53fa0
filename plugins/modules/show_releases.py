# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: show_releases
short_description: Print the releases of all web servers as a tree
version_added: 0.1.0
description:
  - Prints what M(webinfra.stack.app_release_info) has found, the same under every output callback. Runs on the
    controller.
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
  hosts:
    description: Results of M(webinfra.stack.app_release_info) by the names of the servers.
    type: dict
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Show the releases
  webinfra.stack.show_releases:
    hosts:
      web1: "{{ info }}"
"""

RETURN = r"""
lines:
  description: The lines that were printed.
  returned: always
  type: list
  elements: str
  sample: [web servers, └─ web1  runs 61bf0e2d94c7]
"""
