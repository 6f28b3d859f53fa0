# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module on the host that it works on; it is killed there as an operator's session that breaks off is.

on_host.py < {"module": …, "arguments": {…}, "death": null or {"phase": …, "function": …, "calls": …}}
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import sys
import typing as t

from ansible.module_utils.testing import patch_module_args

from ansible_collections.webinfra.stack.plugins.module_utils._seeding import record

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.seeding.journal import Journal

_MODULES = "ansible_collections.webinfra.stack.plugins.modules"


def die_after(*, phase: str | None, function: str, calls: int) -> None:
    """Let this process live until a function was called so often since the journal says so."""
    holder, _dot, name = function.rpartition(".")
    owner = pkgutil.resolve_name(holder)
    call, write = getattr(owner, name), record.write_journal
    counting = phase is None
    left = calls

    def write_journal(journal: Journal, *words: t.Any, **options: t.Any) -> None:
        nonlocal counting
        counting = False
        write(journal, *words, **options)
        counting = journal.phase.value == phase

    def counted(*words: t.Any, **options: t.Any) -> t.Any:
        nonlocal left
        answer = call(*words, **options)
        left -= counting
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    record.write_journal = write_journal
    setattr(owner, name, counted)


def main() -> None:
    order = json.load(sys.stdin)
    entry = importlib.import_module(f"{_MODULES}.{order['module']}")
    if order["death"] is not None:
        die_after(**order["death"])
    with patch_module_args(order["arguments"]):
        entry.main()


if __name__ == "__main__":
    main()
