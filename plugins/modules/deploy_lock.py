# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: deploy_lock
short_description: Let nobody else deploy meanwhile
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Takes or gives back the lock of an application on a host. It says who has it, why and since when.
  - It belongs to the run of Ansible that took it. One whose run has ended on this controller without giving it back is
    taken over; one of another controller is refused, and broken with O(break_lock=true) only.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
    details: A lock is not counted as a change, because the run that takes it gives it back.
  diff_mode:
    support: none
  platform:
    platforms: debian
    support: full
options:
  name:
    description: Name of the application.
    type: str
    required: true
  home:
    description: Directory of its releases. Without it C(/srv/<name>).
    type: path
  state:
    description: Whether the lock is taken or given back. A lock that another run has is never given back.
    type: str
    choices: [held, released]
    default: held
  holder:
    description: The process that holds it. Given by the controller's side of this module.
    type: str
    default: ""
  break_lock:
    description: Whether a lock that somebody else holds is taken away. Two deploys at once harm each other.
    type: bool
    default: false
  verb:
    description: What is done.
    type: str
    default: deploy
  requested_by:
    description: Who does it.
    type: str
    default: ""
  reason:
    description: Why.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Let nobody else deploy
  webinfra.stack.deploy_lock:
    name: wiki
    requested_by: anna
    reason: release of the week

- name: Let others deploy again
  webinfra.stack.deploy_lock:
    name: wiki
    state: released
"""

RETURN = r"""
taken:
  description: Whether this run holds the lock now. In check mode it is only said that it would.
  returned: always
  type: bool
  sample: true
held_by:
  description: Who has the lock instead. Null where nobody else has it.
  returned: always
  type: dict
  sample: {holder: "4711", verb: deploy, requested_by: anna@desk, reason: "", since: "2026-11-27T05:30:00.000+00:00"}
broken:
  description: Whether a lock of somebody else was taken away.
  returned: always
  type: bool
  sample: false
current:
  description: Name of the release that is current. Empty for none.
  returned: always
  type: str
  sample: 61bf0e2d94c7
previous:
  description: Name of the release that was current before. Empty for none.
  returned: always
  type: str
  sample: 0a3c5d7e9f11
releases:
  description: All complete releases, as M(webinfra.stack.app_release_info) returns them.
  returned: always
  type: list
  elements: dict
  sample: []
incomplete:
  description: Names of incomplete releases.
  returned: always
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.releases import (
    Home,
    drop_lock,
    now,
    read_lock,
    take_lock,
)
from ansible_collections.webinfra.stack.plugins.module_utils._release.lock import DeployLock

OPTIONS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "home": {"type": "path"},
    "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
    "holder": {"type": "str", "default": ""},
    "break_lock": {"type": "bool", "default": False},
    "verb": {"type": "str", "default": "deploy"},
    "requested_by": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": ""},
}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    name, holder = module.params["name"], module.params["holder"]
    present = read_lock(name)
    ours = present is not None and present.holder == holder
    result = {"held_by": present.as_result() if present and not ours else None, "broken": False}
    result.update(Home(module, name, module.params["home"]).look().as_result())
    if module.params["state"] == "released":
        if ours and not module.check_mode:
            drop_lock(name)
        module.exit_json(changed=False, taken=False, **result)
    if present and not ours and not module.params["break_lock"]:
        refuse(module, present, result)
    if not module.check_mode and not ours:
        if present:
            drop_lock(name)
        words = {key: module.params[key] for key in ("holder", "verb", "requested_by", "reason")}
        rival = take_lock(name, DeployLock(**words, since=now()))
        if rival:
            refuse(module, rival, {**result, "held_by": rival.as_result()})
    module.exit_json(changed=False, taken=True, **{**result, "held_by": None, "broken": bool(present) and not ours})


def refuse(module: AnsibleModule, lock: DeployLock, result: dict[str, t.Any]) -> t.NoReturn:
    module.fail_json(
        msg=f"Somebody else deploys {module.params['name']}: {lock}. Nothing was changed. What to do: wait; or, when "
        "that run is known to be dead, take its lock away with -e deploy_break_lock=true",
        taken=False,
        **result,
    )


if __name__ == "__main__":
    main()
