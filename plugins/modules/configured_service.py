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
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
    details:
      - A file whose validator is not installed yet is not validated in check mode; RV(not_validated) names it.
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
        description: The content. Exactly one of O(files[].content) and O(files[].secret_content) is needed.
        type: str
      secret_content:
        description: The content, never shown in a result, a diff or a log.
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
  restart_allowed:
    description:
      - Whether this module may restart or reload the unit. With V(false) it starts the unit when it is stopped,
        but lets it run with older files otherwise and returns RV(outdated). For services whose restart
        has an order, like databases.
    type: bool
    default: true
  restart_now:
    description:
      - Restart the unit if it runs with older files, whatever O(restart_allowed) says.
    type: bool
    default: false
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
  description: Paths that were written or removed, or would be.
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
  description: Paths whose validator is not installed yet. Only in check mode.
  returned: always
  type: list
  elements: str
  sample: []
"""

import grp
import os
import pwd
import shlex
import stat
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._service.unit import (
    ChangeAction,
    ManagedFile,
    Stamp,
    UnitPlan,
    UnitState,
    parse_show,
    plan_unit,
)

STAMPS = "/var/lib/webinfra/units"
UNIT_DIRECTORIES = ("/etc/systemd/", "/usr/local/lib/systemd/")

FILE_OPTIONS: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str"},
    "secret_content": {"type": "str", "no_log": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "default": "0644"},
    "validate": {"type": "str"},
    "on_change": {"type": "str", "choices": ["reload", "restart", "none"], "default": "reload"},
}
ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "enabled": {"type": "bool", "default": True},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": FILE_OPTIONS,
        "required_one_of": [("content", "secret_content")],
        "mutually_exclusive": [("content", "secret_content")],
    },
    "restart_allowed": {"type": "bool", "default": True},
    "restart_now": {"type": "bool", "default": False},
    "absent_files": {"type": "list", "elements": "path", "default": []},
    "stopped_units": {"type": "list", "elements": "str", "default": []},
}


class ConfiguredService:
    """A unit and the files it reads, on this host."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._unit: str = module.params["name"]
        self._files = [_managed_file(module, options) for options in module.params["files"]]
        self._stamp_path = os.path.join(STAMPS, f"{self._unit}.json")
        self.not_validated: list[str] = []
        self.actions: list[str] = []

    def converge(self) -> dict[str, t.Any]:
        changed_files = [file for file in self._files if self._differs(file)]
        surplus = [path for path in self._module.params["absent_files"] if os.path.lexists(path)]
        diff = [self._diff(file) for file in changed_files] + [_removal(path) for path in surplus]
        candidates = {file.path: self._candidate(file) for file in changed_files}

        touched = [file.path for file in changed_files] + surplus
        states = self._states()
        rivals = [name for name, state in states.items() if name != self._unit and (state.active or state.enabled)]
        plan = self._plan(states[self._unit], touched)
        if not self._module.check_mode:
            for file in changed_files:
                self._replace(file, candidates[file.path])
            for path in surplus:
                os.unlink(path)
        for rival in rivals:
            self._systemctl("disable", "--now", rival)
        self._execute(plan)
        if not self._module.check_mode and not plan.outdated:
            self._remember()
        return {
            "changed": bool(touched or self.actions),
            "files_changed": touched,
            "actions": self.actions,
            "outdated": plan.outdated,
            "not_validated": self.not_validated,
            "diff": diff,
        }

    def _plan(self, state: UnitState, touched: list[str]) -> UnitPlan:
        params = self._module.params
        return plan_unit(
            state,
            loaded=self._loaded(),
            wanted=Stamp.of_files(self._files),
            enabled=params["enabled"],
            unit_file_changed=any(path.startswith(UNIT_DIRECTORIES) for path in touched),
            hands_off=not (params["restart_allowed"] or params["restart_now"]),
        )

    def _execute(self, plan: UnitPlan) -> None:
        if plan.daemon_reload:
            self._systemctl("daemon-reload")
        if plan.enable:
            self._systemctl("enable", self._unit)
        if plan.activate:
            self._systemctl(plan.activate, self._unit)
            self._require_active()

    def _systemctl(self, *words: str) -> None:
        self.actions.append(" ".join(("systemctl", *words)))
        if self._module.check_mode:
            return
        code, _out, err = self._module.run_command(["systemctl", *words])
        if code != 0:
            self._fail_with_journal(f"systemctl {' '.join(words)} failed: {err.strip()}")

    def _require_active(self) -> None:
        if self._module.check_mode:
            return
        if not self._states()[self._unit].active:
            self._fail_with_journal(f"{self._unit} is not active although systemctl reported success")

    def _fail_with_journal(self, message: str) -> t.NoReturn:
        _code, journal, _err = self._module.run_command(
            ["journalctl", "--unit", self._unit, "--lines", "20", "--no-pager", "--output", "cat"]
        )
        self._module.fail_json(
            msg=f"{message}\nThe last lines of its journal:\n{journal.strip()}", actions=self.actions
        )

    def _states(self) -> dict[str, UnitState]:
        units = [self._unit, *self._module.params["stopped_units"]]
        _code, out, err = self._module.run_command(
            ["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload", *units]
        )
        blocks = parse_show(out)
        if len(blocks) != len(units):
            self._module.fail_json(msg=f"systemctl does not answer on this host; is systemd its PID 1? {err.strip()}")
        return {unit: UnitState.from_properties(block) for unit, block in zip(units, blocks, strict=True)}

    def _loaded(self) -> Stamp | None:
        content = _read(self._stamp_path)
        return Stamp.from_text(content.decode()) if content is not None else None

    def _remember(self) -> None:
        stamp = Stamp.of_files(self._files)
        if self._loaded() == stamp:
            return
        _write_at_once(self._stamp_path, stamp.to_text().encode(), mode=0o644, owner=0, group=0)

    def _differs(self, file: ManagedFile) -> bool:
        if _read(file.path) != file.content:
            return True
        status = os.stat(file.path)
        return (
            stat.S_IMODE(status.st_mode) != file.mode
            or status.st_uid != _identity(pwd.getpwnam, file.owner, status.st_uid)
            or status.st_gid != _identity(grp.getgrnam, file.group, status.st_gid)
        )

    def _candidate(self, file: ManagedFile) -> str:
        """Write the new content to a temporary file, and have it validated."""
        handle, path = tempfile.mkstemp(suffix="-" + os.path.basename(file.path))
        with os.fdopen(handle, "wb") as stream:
            stream.write(file.content)
        if file.validate is None:
            return path
        command = shlex.split(file.validate % shlex.quote(path))
        if self._module.check_mode and self._module.get_bin_path(command[0]) is None:
            self.not_validated.append(file.path)
            return path
        code, out, err = self._module.run_command(command)
        if code != 0:
            words = "\n".join(text.strip() for text in (out, err) if text.strip()).replace(path, file.path)
            self._module.fail_json(
                msg=f"{command[0]} refuses the new {file.path}; nothing was changed, the old one stays in use:\n{words}"
            )
        return path

    def _replace(self, file: ManagedFile, candidate: str) -> None:
        os.unlink(candidate)
        owner = self._known(pwd.getpwnam, file.owner).pw_uid
        group = self._known(grp.getgrnam, file.group).gr_gid
        _write_at_once(file.path, file.content, mode=file.mode, owner=owner, group=group)

    def _known(self, lookup: t.Callable[[str], t.Any], name: str) -> t.Any:
        try:
            return lookup(name)
        except KeyError:
            self._module.fail_json(
                msg=f"There is no user or group {name!r} on this host; install the package that creates it"
            )

    def _diff(self, file: ManagedFile) -> dict[str, str]:
        before = _read(file.path)
        headers = {
            "before_header": file.path,
            "after_header": f"{file.path} ({file.owner}:{file.group} {file.mode:04o})",
        }
        if file.secret:
            return {**headers, "before": "" if before is None else "(a secret)\n", "after": "(another secret)\n"}
        return {**headers, "before": (before or b"").decode(errors="replace"), "after": file.content.decode()}


def _managed_file(module: AnsibleModule, options: dict[str, t.Any]) -> ManagedFile:
    content = options["content"] if options["secret_content"] is None else options["secret_content"]
    try:
        mode = int(options["mode"], 8)
    except ValueError:
        module.fail_json(
            msg=f'files: mode {options["mode"]!r} of {options["path"]} is not octal; write for example "0640"'
        )
    if options["validate"] is not None and "%s" not in options["validate"]:
        module.fail_json(msg=f"files: validate of {options['path']} must contain %s, the path of the new content")
    return ManagedFile(
        path=options["path"],
        content=content.encode(),
        owner=options["owner"],
        group=options["group"],
        mode=mode,
        secret=options["secret_content"] is not None,
        validate=options["validate"],
        on_change=ChangeAction(options["on_change"]),
    )


def _write_at_once(path: str, content: bytes, *, mode: int, owner: int, group: int) -> None:
    """Replace the file in one step, with its owner and permissions from its first moment.

    ``AnsibleModule.atomic_move`` sets them after the move: a secret would be readable in between.
    """
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".webinfra-")
    with os.fdopen(handle, "wb") as stream:
        os.fchown(handle, owner, group)
        os.fchmod(handle, mode)
        stream.write(content)
        stream.flush()
        os.fsync(handle)
    os.replace(temporary, path)


def _identity(lookup: t.Callable[[str], t.Any], name: str, otherwise: int) -> int:
    """Return the number behind a name; a name that does not exist yet never equals what a file has."""
    try:
        return int(lookup(name)[2])
    except KeyError:
        return ~otherwise


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _removal(path: str) -> dict[str, str]:
    return {"before_header": path, "after_header": f"{path} (absent)", "before": f"{path}\n", "after": ""}


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    module.exit_json(**ConfiguredService(module).converge())


if __name__ == "__main__":
    main()
