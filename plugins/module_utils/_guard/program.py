# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The guard as a program: C(program watch SETTINGS) after a start, C(program prepare SETTINGS FILE) before one."""

from __future__ import annotations

import functools
import sys
import typing as t

from .._files.textfile import TextfileError
from .guard import Clock, Guard
from .report import Report
from .servers import Members
from .settings import SettingsError, read_settings
from .start import prepare

if t.TYPE_CHECKING:
    import collections.abc as c

_MISUSED = 2
_say = functools.partial(print, flush=True)


def main(arguments: c.Sequence[str]) -> int:
    """Do what the first word says."""
    command = _COMMANDS.get((arguments[0], len(arguments) - 1)) if arguments else None
    if command is None:
        sys.stderr.write("Say: watch SETTINGS, or prepare SETTINGS FILE.\n")
        return _MISUSED
    try:
        command(*arguments[1:])
    except (SettingsError, TextfileError) as exc:
        sys.stderr.write(f"{exc}\n")
        return _MISUSED
    return 0


def _watch(settings_file: str) -> None:
    """Decide whether the server opens itself, and end when it is decided."""
    settings = read_settings(settings_file)
    report = Report(settings.textfile, _say)
    with Members(settings) as members:
        Guard(settings.own, members, settings.terms, report.tell, Clock()).run()


def _prepare(settings_file: str, path: str) -> None:
    start = prepare(read_settings(settings_file), path)
    _say(f"Starts as {start.role.value}: {start.reason}")


_COMMANDS: dict[tuple[str, int], c.Callable[..., None]] = {("watch", 1): _watch, ("prepare", 2): _prepare}

__all__ = ("main",)
