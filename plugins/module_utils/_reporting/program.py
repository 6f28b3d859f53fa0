# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The report as a program: C(program SETTINGS) leaves what the host and the replication are for node-exporter."""

from __future__ import annotations

import sys
import time
import typing as t

from .._files.textfile import TextfileError, write_textfile
from .._replication.errors import DatabaseError
from .._replication.exposition import exposition
from .._replication.findings.rules import evaluate
from .._sql.survey import Survey
from .host import metrics
from .looking import look
from .settings import SettingsError, read_settings

if t.TYPE_CHECKING:
    import collections.abc as c

    from .settings import Settings

_FAILED, _MISUSED = 1, 2


def main(arguments: c.Sequence[str]) -> int:
    """Report once."""
    if len(arguments) != 1:
        sys.stderr.write("Say: SETTINGS, the path of a file.\n")
        return _MISUSED
    try:
        settings = read_settings(arguments[0])
        write_textfile(settings.file("host"), metrics(look(settings.addresses, _complain), at=time.time()))
        if settings.targets:
            write_textfile(settings.file("replication"), replication(settings))
    except SettingsError as exc:
        _complain(str(exc))
        return _MISUSED
    except (TextfileError, DatabaseError) as exc:
        _complain(str(exc))
        return _FAILED
    return 0


def replication(settings: Settings) -> str:
    """Ask all database servers at once, and judge them."""
    begin = time.monotonic()
    with Survey(settings.targets, settings.heartbeat_schema) as survey:
        topology = survey.read()
    seconds = time.monotonic() - begin
    return exposition(topology, evaluate(topology, settings.policy), checked_at=time.time(), seconds=seconds)


def _complain(words: str) -> None:
    sys.stderr.write(f"{words}\n")


__all__ = ("main", "replication")
