# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: directory_digest
short_description: The name of a release, from the content of its directory
version_added: 0.1.0
description:
  - Fingerprints the names, execute bits and contents of everything under a directory on the controller.
  - The same content has the same name on every controller and in every checkout; any change of it has another.
  - Ignores C(__pycache__) and C(*.pyc).
options:
  _input:
    description: Path of the directory.
    type: path
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
web_app_release: "{{ web_app_source | webinfra.stack.directory_digest }}"
"""

RETURN = r"""
_value:
  description: Twelve hexadecimal digits.
  type: str
  sample: 61bf0e2d94c7
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils.directory_digest import (
    DirectoryDigestError,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.directory_digest import (
    directory_digest as digest_of,
)


def directory_digest(path: str) -> str:
    try:
        return digest_of(path)
    except DirectoryDigestError as exc:
        raise AnsibleFilterError(f"directory_digest: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"directory_digest": directory_digest}
