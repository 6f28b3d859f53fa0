# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with the views of the stack."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.markdown import markdown_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.metrics import metrics_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.page import page_of

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Stack

_EVERYBODY_MAY_READ = 0o644


def files_of(stack: Stack) -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "status.html": page_of(stack),
        "status.md": markdown_of(stack),
        "status.json": json.dumps(stack.as_result(), indent=2, ensure_ascii=False) + "\n",
        "status.prom": metrics_of(stack),
    }


def write_file(path: str, text: str) -> None:
    """Replace a file in one step: who reads it meanwhile sees the old one or the new one."""
    handle, unfinished = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".status-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            os.fchmod(stream.fileno(), _EVERYBODY_MAY_READ)
        os.replace(unfinished, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


__all__ = ("files_of", "write_file")
