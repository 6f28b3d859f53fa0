# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: configured_service
short_description: Run a systemd unit with exactly these files
version_added: 0.1.0
description:
  - Writes the files that a unit reads, enables the unit, starts it, and reloads or restarts it
    when it runs with older files.
  - All files are validated before the first one is replaced. When one is refused, the host stays as it was
    and the unit goes on with what it has.
  - What the running unit has loaded is remembered on the host, in C(/var/lib/webinfra/units).
    A run that was interrupted after writing and before reloading is therefore completed by the next run,
    which a handler cannot do.
  - One call does what a template, a file, a service task and a handler do, in a tenth of the time.
extends_documentation_fragment: [webinfra.stack.attributes, webinfra.stack.survey]
attributes:
  check_mode:
    support: full
    details:
      - A file whose validator is not installed yet is not validated in check mode; RV(not_validated) names it. So it
        is while one of O(links) or O(watched_files) is not there yet.
  diff_mode:
    support: full
    details:
      - Secret content is never shown, only that it changes.
  platform:
    platforms: debian
    support: full
options:
  name:
    description: Name of the unit, with its suffix.
    type: str
    required: true
  enabled:
    description: Whether the unit starts at boot. V(false) leaves it as it is.
    type: bool
    default: true
  files:
    description: The files that the unit reads, including its own unit file or drop-in where we write one.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path of the file. Its directory is created (C(root), C(0755)) when it does not exist.
        type: path
        required: true
      content:
        description:
          - The content. Exactly one of O(files[].content), O(files[].secret_content) and O(files[].encoded_content)
            is needed.
        type: str
      secret_content:
        description: The content, never shown in a result, a diff or a log.
        type: str
      encoded_content:
        description: The content in base64, for a file that is no text. A diff says only how long it is.
        type: str
      owner:
        description: Owner of the file.
        type: str
        default: root
      group:
        description: Group of the file.
        type: str
        default: root
      mode:
        description: Permissions in octal notation, quoted.
        type: str
        default: "0644"
      validate:
        description:
          - Command that accepts or refuses the new content; C(%s) stands for its path.
            It runs before any file is replaced.
        type: str
      on_change:
        description:
          - What the unit needs before it runs with a new content of this file.
          - V(reload) keeps connections, V(restart) does not, V(none) is for a file that is read at each use.
        type: str
        choices: [reload, restart, none]
        default: reload
  links:
    description:
      - Symbolic links that the unit reads through, for a program that wants a file under a name of its own. They are
        made before the files are validated, so give a link another O(links[].path) when its target changes.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path of the link. Its directory is created (C(root), C(0755)) when it does not exist.
        type: path
        required: true
      target:
        description: Where it points.
        type: path
        required: true
      initial:
        description: Whether it is only made where there is none, because others change it afterwards.
        type: bool
        default: false
  watched_files:
    description:
      - Files that the unit reads and somebody else writes, like certificates. The unit is reloaded when one of them
        is another one than it has loaded. Without one of them nothing is changed, and the module fails.
      - Their fingerprints are kept where everybody on the host can read them. Watch a certificate and not its private
        key; the one does not change without the other.
    type: list
    elements: path
    default: []
  restart_allowed:
    description:
      - Whether this module may restart or reload the unit. With V(false) it starts the unit when it is stopped,
        but lets it run with older files otherwise and returns RV(outdated). For services whose restart
        has an order, like databases.
    type: bool
    default: true
  absent_files:
    description: Files that must not exist, because the unit would read them too.
    type: list
    elements: path
    default: []
  stopped_units:
    description:
      - Units that must not run beside this one, because they would take its port. They are stopped and disabled.
    type: list
    elements: str
    default: []
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Run HAProxy with our configuration
  webinfra.stack.configured_service:
    name: haproxy.service
    stopped_units: [nginx.service]
    files:
      - path: /etc/haproxy/haproxy.cfg
        content: "{{ lookup('ansible.builtin.template', 'haproxy.cfg.j2') }}"
        group: haproxy
        mode: "0640"
        validate: haproxy -c -q -f %s
"""

RETURN = r"""
files_changed:
  description: Paths that were written, linked or removed, or would be.
  returned: always
  type: list
  elements: str
  sample: [/etc/haproxy/haproxy.cfg]
actions:
  description: What was done to units, or would be.
  returned: always
  type: list
  elements: str
  sample: [systemctl reload haproxy.service]
outdated:
  description: Whether the unit goes on running with older files, because O(restart_allowed) is false.
  returned: always
  type: bool
  sample: false
not_validated:
  description: Paths whose validator, or something that it would look at, is not there yet. Only in check mode.
  returned: always
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.service import ConfiguredService
from ansible_collections.webinfra.stack.plugins.module_utils._service.service import ARGUMENTS, OptionError, Service

OPTIONS: dict[str, t.Any] = {**ARGUMENTS, "survey": {"type": "dict"}}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    try:
        service = Service.from_options(module.params)
    except OptionError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**ConfiguredService(module, service).converge())


if __name__ == "__main__":
    main()
