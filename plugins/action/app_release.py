# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.webinfra.stack.plugins.plugin_utils.release_archive import size_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_source import ReleaseSourceError, settle

if t.TYPE_CHECKING:
    from pathlib import Path

MODULE = "webinfra.stack.app_release"
SMALL = 512 * 1024
"""Bytes up to which the archive comes along with the question, which saves asking first and copying after."""


class ActionModule(ActionBase):
    """Name and pack the release on the controller, and carry it to a host that lacks it."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        options = dict(self._task.args)
        source = options.get("source")
        if not source or options.get("state") == "current":
            return {**result, **self._execute_module(module_name=MODULE, module_args=options, task_vars=task_vars)}
        try:
            return {**result, **self._provide(options, task_vars)}
        except ReleaseSourceError as exc:
            raise AnsibleActionFail(str(exc)) from exc

    def _provide(self, options: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        settled = settle(options["source"], ref=options.get("ref") or "", checksum=options.get("checksum") or "")
        told = {**options, "release": options.get("release") or settled.release, "revision": settled.revision}
        if self._task.check_mode:
            return self._ask(told, task_vars)
        if not options.get("archive_directory"):
            raise ReleaseSourceError("archive_directory: name a directory on the controller for packed releases")
        archive = settled.pack(options["archive_directory"], options["name"])
        if archive.stat().st_size <= SMALL:
            content = base64.b64encode(archive.read_bytes()).decode()
            return self._ask({**told, **_size(archive), "encoded_archive": content}, task_vars)
        looked = self._ask(told, task_vars)
        if looked.get("failed") or not looked["missing"]:
            return looked
        return self._ask({**told, **_size(archive), "archive": self._carried(archive)}, task_vars)

    def _carried(self, archive: Path) -> str:
        """Copy the archive into the directory of this task on the host, which is removed with it."""
        if self._connection._shell.tmpdir is None:  # noqa: SLF001 - as Ansible's own actions do it
            self._make_tmp_path()
        target = self._connection._shell.join_path(self._connection._shell.tmpdir, archive.name)  # noqa: SLF001
        self._transfer_file(str(archive), target)  # type: ignore[no-untyped-call]
        self._fixup_perms2((self._connection._shell.tmpdir, target))  # type: ignore[no-untyped-call]  # noqa: SLF001
        return str(target)

    def _ask(self, options: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        asked: dict[str, t.Any] = self._execute_module(module_name=MODULE, module_args=options, task_vars=task_vars)
        return asked


def _size(archive: Path) -> dict[str, int]:
    size = size_of(archive)
    return {
        "unpacked_bytes": size.bytes,
        "unpacked_files": size.files,
        "packed_at": int(archive.stat().st_mtime),
    }
