# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What of a seeding outlives a crash: its journal, the lock on the server's unit, and the progress to be shown."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess

from .._replication.seeding.journal import Journal
from .errors import SeedingFailedError

HOME = "/var/lib/webinfra/seeding"
_JOURNAL = os.path.join(HOME, "journal.json")
_PROGRESS = os.path.join(HOME, "progress.json")
POSITION_FILE = os.path.join(HOME, "position.sql")
_DROP_IN = "/etc/systemd/system/{unit}.d/webinfra-seeding.conf"
_HEAD = "# Written by a seeding, and removed when it is complete: run the playbook seed to finish it.\n"
FORBIDDEN = f"{_HEAD}[Unit]\nAssertPathExists=!{_JOURNAL}\n"
"""Keeps the server from starting on half a data directory, across a reboot as well."""


def read_journal() -> Journal | None:
    """Return what an interrupted seeding has left."""
    with contextlib.suppress(FileNotFoundError), open(_JOURNAL, encoding="utf-8") as stream:
        return Journal.from_text(stream.read())
    return None


def write_journal(journal: Journal, unit: str, *, starting: str | None = None) -> None:
    """Remember a phase, for good, before it is entered, and how the server starts in it if not as always."""
    _write(_JOURNAL, journal.to_text())
    text = f"{_HEAD}{starting}" if starting else None
    _set_drop_in(unit, FORBIDDEN if journal.server_forbidden else text)


def close_journal(unit: str) -> None:
    """Forget a seeding that is complete, or of which nothing is left."""
    _set_drop_in(unit, None)
    for path in (_JOURNAL, _PROGRESS, POSITION_FILE):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _set_drop_in(unit: str, text: str | None) -> None:
    path = _DROP_IN.format(unit=unit)
    if text is None and not os.path.exists(path):
        return
    if text is None:
        os.unlink(path)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(path))
    else:
        _write(path, text)
    systemctl("daemon-reload")


def show_progress(phase: str, done: int = 0, total: int = 0) -> None:
    """Say how far it is, for those who look on."""
    _write(_PROGRESS, json.dumps({"phase": phase, "done": done, "total": total, "pid": os.getpid()}), lasting=False)


def systemctl(*words: str) -> None:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SeedingFailedError(
            f"systemctl {' '.join(words)} failed: {done.stderr.strip()}. Look into the server's journal; the next run "
            "goes on from here"
        )


def _write(path: str, text: str, *, lasting: bool = True) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        if lasting:
            os.fsync(stream.fileno())
    os.replace(temporary, path)


__all__ = (
    "POSITION_FILE",
    "close_journal",
    "read_journal",
    "show_progress",
    "systemctl",
    "write_journal",
)
