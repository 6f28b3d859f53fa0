# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.webinfra.stack.plugins.plugin_utils.speaker import SpokenAction


class ActionModule(SpokenAction):
    """Move the primary from whichever host of the play can."""

    module = "webinfra.stack.failover"
