# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: app_release
short_description: Put a release of an application on a host, or switch to one
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Packs a release once on the controller, carries it over, unpacks and builds it beside the others in
    C(<home>/releases/<release>), and runs its migration. What was complete is never touched again.
  - A release is complete when its record C(.release.json) is there, which is written last. What a killed run has left
    is removed and made anew by the next one.
  - Switches to a release in one step, restarts the unit, and waits until it is healthy B(and) answers with the name of
    that release. If it is not, the host goes back to the release that it had, and the module fails with the last lines
    of the journal.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
    details: Nothing is fetched, packed or built, so that what would fail then is not predicted.
  diff_mode:
    support: full
  platform:
    platforms: debian
    support: full
options:
  name:
    description: Name of the application and of its user, who is created when missing.
    type: str
    required: true
  home:
    description: Directory of its releases. Without it C(/srv/<name>).
    type: path
  state:
    description:
      - What shall be. V(present) has the release beside the others. V(initial) does that only where no release is
        current yet, and leaves every other host alone. V(current) switches to a release that is present.
    type: str
    choices: [present, initial, current]
    default: present
  release:
    description:
      - Name of the release. Without it the name comes from the content of O(source), so that the same content always
        has the same name. Required for O(state=current).
    type: str
  source:
    description:
      - Where the release comes from, seen from the controller. A directory, a tar archive, the URL of a tar archive
        with its O(checksum), or a git repository with O(ref). Not needed where the release is there.
      - An archive with a single directory at its top is taken without that directory.
    type: str
  ref:
    description: Branch, tag or commit of the git repository O(source). The commit that it is now is what is recorded.
    type: str
  checksum:
    description: SHA-256 of the archive at a URL.
    type: str
  archive_directory:
    description: Directory on the controller for packed releases. Required with O(source).
    type: path
  archive:
    description: Path of the packed release on the host. Given by the controller's side of this module.
    type: path
  encoded_archive:
    description: The packed release itself where it is small, in base64. Given by the controller's side of this module.
    type: str
  revision:
    description: What O(source) was when it was packed. Given by the controller's side of this module.
    type: str
    default: ""
  unpacked_bytes:
    description: Size of what is in the archive. Given by the controller's side of this module.
    type: int
    default: 0
  unpacked_files:
    description: Number of files in the archive. Given by the controller's side of this module.
    type: int
    default: 0
  packed_at:
    description: When it was packed, in seconds since 1970. Given by the controller's side of this module.
    type: int
    default: 0
  build:
    description:
      - Lines of shell that finish the release, run in its directory by the application's user. Once a release and host.
    type: list
    elements: str
    default: []
  files:
    description: Files that the migration reads besides the release, written before it.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path of the file.
        type: path
        required: true
      content:
        description: Content of the file, readable by all.
        type: str
        required: true
  migrate_command:
    description:
      - Line of shell that brings the database schema up to the release, run in its directory by the application's user.
        Once a release, unless it fails. Give it to one host only.
    type: str
    default: ""
  environment:
    description: Environment of O(migrate_command). C(APP_RELEASE) is added.
    type: dict
    default: {}
  secret_environment:
    description: Environment of O(migrate_command) that is never shown.
    type: dict
    default: {}
  unit:
    description: Unit that runs the release that is current. Without it C(<name>.service).
    type: str
  health_url:
    description: Address that answers 200 when the application is well. When empty, the unit is only restarted.
    type: str
    default: ""
  release_header:
    description: Header in which the answer names the release. When empty, any healthy answer will do.
    type: str
    default: X-Release
  health_timeout:
    description: Seconds within which a release must be healthy.
    type: float
    default: 30
  restart:
    description: Whether the unit is restarted with O(state=current) also where it runs that release already.
    type: bool
    default: false
  keep:
    description:
      - With O(state=current), how many releases stay, counting that one and the one before it, which always stay.
    type: int
    default: 5
  requested_by:
    description: Who wanted it, for the release's record and for the log.
    type: str
    default: ""
  audit_log:
    description:
      - Log to which a line is added when O(state=current) has changed something or has failed, as
        M(webinfra.stack.audit_entry) writes it. When empty, none is.
    type: path
    default: /var/log/webinfra/audit.log
  verb:
    description: What is done, for the log.
    type: str
    default: deploy
  reason:
    description: Why, for the log.
    type: str
    default: ""
seealso:
  - module: webinfra.stack.app_release_info
  - module: webinfra.stack.deploy_lock
"""

EXAMPLES = r"""
- name: Put the release beside the others
  webinfra.stack.app_release:
    name: wiki
    source: "{{ playbook_dir }}/wiki"
    archive_directory: "{{ playbook_dir }}/.releases"
  register: wiki

- name: Have the release of a tag, with a virtual environment of its own
  webinfra.stack.app_release:
    name: wiki
    source: https://git.example.com/wiki.git
    ref: v2.1
    archive_directory: "{{ playbook_dir }}/.releases"
    build:
      - python3 -m venv venv
      - venv/bin/pip install --no-index --find-links wheels -r requirements.txt

- name: Switch to it, and go back if it is not well
  webinfra.stack.app_release:
    name: wiki
    state: current
    release: "{{ wiki.release }}"
    health_url: http://10.20.0.21:8000/healthz
"""

RETURN = r"""
release:
  description: Name of the release.
  returned: always
  type: str
  sample: 61bf0e2d94c7
directory:
  description: Where it is.
  returned: always
  type: str
  sample: /srv/wiki/releases/61bf0e2d94c7
current:
  description: Name of the release that is current now. Empty for none.
  returned: always
  type: str
  sample: 61bf0e2d94c7
previous:
  description: Name of the release that was current before that one. Empty for none.
  returned: always
  type: str
  sample: 0a3c5d7e9f11
running:
  description: Whether the release is current and, with O(health_url), answers.
  returned: always
  type: bool
  sample: true
migrated:
  description: Whether the migration was run.
  returned: always
  type: bool
  sample: false
removed:
  description: Names of the releases that were removed.
  returned: always
  type: list
  elements: str
  sample: []
missing:
  description: Whether the release is not there and was not given.
  returned: always
  type: bool
  sample: false
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.application import converge
from ansible_collections.webinfra.stack.plugins.module_utils._module.asking import NoWebAddressError
from ansible_collections.webinfra.stack.plugins.module_utils._module.audit import AuditError
from ansible_collections.webinfra.stack.plugins.module_utils._module.releases import ReleaseError
from ansible_collections.webinfra.stack.plugins.module_utils._release.record import ReleaseNameError

OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "home": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "initial", "current"], "default": "present"},
    "release": {"type": "str"},
    "source": {"type": "str"},
    "ref": {"type": "str"},
    "checksum": {"type": "str"},
    "archive_directory": {"type": "path"},
    "archive": {"type": "path"},
    # Not a secret, but nobody wants to see it.
    "encoded_archive": {"type": "str", "no_log": True},
    "revision": {"type": "str", "default": ""},
    "unpacked_bytes": {"type": "int", "default": 0},
    "unpacked_files": {"type": "int", "default": 0},
    "packed_at": {"type": "int", "default": 0},
    "build": {"type": "list", "elements": "str", "default": []},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"path": {"type": "path", "required": True}, "content": {"type": "str", "required": True}},
    },
    "migrate_command": {"type": "str", "default": ""},
    "environment": {"type": "dict", "default": {}},
    "secret_environment": {"type": "dict", "default": {}, "no_log": True},
    "unit": {"type": "str"},
    "health_url": {"type": "str", "default": ""},
    "release_header": {"type": "str", "default": "X-Release"},
    "health_timeout": {"type": "float", "default": 30},
    "restart": {"type": "bool", "default": False},
    "keep": {"type": "int", "default": 5},
    "requested_by": {"type": "str", "default": ""},
    "audit_log": {"type": "path", "default": "/var/log/webinfra/audit.log"},
    "verb": {"type": "str", "default": "deploy"},
    "reason": {"type": "str", "default": ""},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    if not module.params["release"]:
        module.fail_json(msg="release: name the release; only with a source on the controller it has one by itself")
    try:
        result = converge(module)
    except (AuditError, ReleaseError, ReleaseNameError, NoWebAddressError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
