# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with the views of the stack."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.status.markdown import markdown_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.metrics import metrics_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.page import page_of

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.status.model import Stack


def files_of(stack: Stack) -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "status.html": page_of(stack),
        "status.md": markdown_of(stack),
        "status.json": json.dumps(stack.as_result(), indent=2, ensure_ascii=False) + "\n",
        "status.prom": metrics_of(stack),
    }


__all__ = ("files_of",)
