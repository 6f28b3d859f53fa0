# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Carry out what a unit needs on this host."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import tempfile
import typing as t

from .._service.service import ServicePlan, plan_service
from .host import Host, SystemdError, link_at_once, read, write_at_once

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._service.service import Service, Sight
    from .._service.unit import Link, ManagedFile, UnitPlan


class ConfiguredService:
    """A unit and the files that it reads."""

    def __init__(self, module: AnsibleModule, service: Service) -> None:
        self._module = module
        self._service = service
        self._host = Host(module)
        self._not_validated: list[str] = []
        self._actions: list[str] = []

    def converge(self) -> dict[str, t.Any]:
        sight = self._look()
        plan = plan_service(self._service, sight, key=b"")
        self._require_watched(plan)
        diff = [self._diff(file) for file in plan.files] + [_removal(path) for path in plan.surplus]
        diff += [_redirection(link, sight.links[link.path]) for link in plan.links]
        self._link(plan)
        # In check mode what the files name may not be there yet, and no validator could do without it.
        complete = not (self._module.check_mode and (plan.links or plan.missing))
        candidates = {file.path: self._candidate(file, validated=complete) for file in plan.files}
        if not self._module.check_mode:
            for file in plan.files:
                self._replace(file, candidates[file.path])
            for path in plan.surplus:
                os.unlink(path)
        for rival in plan.rivals:
            self._systemctl("disable", "--now", rival)
        self._execute(plan.unit)
        if not self._module.check_mode and not plan.unit.outdated:
            # What was watched before the unit read it: a change in between costs a reload more, and is not missed.
            self._host.remember(self._service.unit, self._service.stamp_on(sight))
        return {
            "changed": bool(plan.touched or self._actions),
            "files_changed": plan.touched,
            "actions": self._actions,
            "outdated": plan.unit.outdated,
            "not_validated": self._not_validated,
            "diff": diff,
        }

    def _look(self) -> Sight:
        try:
            return self._host.look(self._service)
        except SystemdError as exc:
            self._module.fail_json(msg=str(exc))

    def _require_watched(self, plan: ServicePlan) -> None:
        if plan.missing and not self._module.check_mode:
            self._module.fail_json(
                msg=f"{', '.join(plan.missing)}: no such file on this host, and {self._service.unit} needs it. "
                "Nothing was changed. What to do: put it there first, or correct its path"
            )

    def _link(self, plan: ServicePlan) -> None:
        """Make links first: a validator follows them."""
        if not self._module.check_mode:
            for link in plan.links:
                link_at_once(link.path, link.target)

    def _execute(self, plan: UnitPlan) -> None:
        if plan.daemon_reload:
            self._systemctl("daemon-reload")
        if plan.enable:
            self._systemctl("enable", self._service.unit)
        if plan.activate:
            self._systemctl(plan.activate, self._service.unit)
            self._require_active()

    def _systemctl(self, *words: str) -> None:
        self._actions.append(" ".join(("systemctl", *words)))
        if self._module.check_mode:
            return
        code, _out, err = self._module.run_command(["systemctl", *words])
        if code != 0:
            self._fail_with_journal(f"systemctl {' '.join(words)} failed: {err.strip()}")

    def _require_active(self) -> None:
        unit = self._service.unit
        if not self._module.check_mode and not self._host.states([unit])[unit].active:
            self._fail_with_journal(f"{unit} is not active although systemctl reported success")

    def _fail_with_journal(self, message: str) -> t.NoReturn:
        _code, journal, _err = self._module.run_command(
            ["journalctl", "--unit", self._service.unit, "--lines", "20", "--no-pager", "--output", "cat"]
        )
        self._module.fail_json(
            msg=f"{message}\nThe last lines of its journal:\n{journal.strip()}", actions=self._actions
        )

    def _candidate(self, file: ManagedFile, *, validated: bool) -> str:
        """Write the new content to a temporary file, and have it validated."""
        handle, path = tempfile.mkstemp(dir=self._module.tmpdir, suffix="-" + os.path.basename(file.path))
        with os.fdopen(handle, "wb") as stream:
            stream.write(file.content)
        if file.validate is None:
            return path
        command = shlex.split(file.validate % shlex.quote(path))
        if not validated or (self._module.check_mode and self._module.get_bin_path(command[0]) is None):
            self._not_validated.append(file.path)
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
        write_at_once(file.path, file.content, mode=file.mode, owner=owner, group=group)

    def _known(self, lookup: t.Callable[[str], t.Any], name: str) -> t.Any:
        try:
            return lookup(name)
        except KeyError:
            self._module.fail_json(
                msg=f"There is no user or group {name!r} on this host; install the package that creates it"
            )

    def _diff(self, file: ManagedFile) -> dict[str, str]:
        before = read(file.path)
        headers = {
            "before_header": file.path,
            "after_header": f"{file.path} ({file.owner}:{file.group} {file.mode:04o})",
        }
        if file.secret:
            return {**headers, "before": "" if before is None else "(a secret)\n", "after": "(another secret)\n"}
        return {**headers, "before": _shown(before or b""), "after": _shown(file.content)}


def _shown(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"({len(content)} bytes that are no text)\n"


def _redirection(link: Link, before: str | None) -> dict[str, str]:
    return {
        "before_header": link.path,
        "after_header": f"{link.path} (link)",
        "before": f"{before}\n" if before else "",
        "after": f"{link.target}\n",
    }


def _removal(path: str) -> dict[str, str]:
    return {"before_header": path, "after_header": f"{path} (absent)", "before": f"{path}\n", "after": ""}


__all__ = ("ConfiguredService",)
