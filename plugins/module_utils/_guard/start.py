# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Before the server starts: tell it by a file of options what it is to take itself for."""

from __future__ import annotations

import os
import typing as t

from .._files.textfile import write_textfile
from .._replication.starting import plan_start
from .._sql.survey import Survey

if t.TYPE_CHECKING:
    from .._replication.starting import Start
    from .settings import Settings

_THE_SERVER_MAY_LOOK = 0o755


def prepare(settings: Settings, path: str) -> Start:
    """Ask the others, which takes as long as the slowest of them may, and write the file."""
    others = [target for target in settings.targets if target.name != settings.own]
    with Survey(others, settings.primary.heartbeat_database or "") as survey:
        start = plan_start(survey.read().servers)
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, _THE_SERVER_MAY_LOOK)  # whatever mask the server's unit sets
    write_textfile(path, f"[mariadbd]\ninit_rpl_role = {start.role.value}\n")
    return start


__all__ = ("prepare",)
