# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A file that others may read at any moment."""

from __future__ import annotations

import contextlib
import os
import tempfile

_EVERYBODY_MAY_READ = 0o644


class TextfileError(Exception):
    """The file cannot be written; the text says why."""


def write_textfile(path: str, text: str) -> None:
    """Replace the file in one step: a reader sees the old text or the new one, and never a part."""
    folder = os.path.dirname(path) or "."
    try:
        # The collector reads names that end in .prom, so it does not see this one.
        handle, unfinished = tempfile.mkstemp(dir=folder, prefix=".webinfra-", suffix=".unfinished")
    except OSError as exc:
        raise TextfileError(_words(path, exc)) from exc
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), _EVERYBODY_MAY_READ)
        os.replace(unfinished, path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise TextfileError(_words(path, exc)) from exc


def _words(path: str, exc: OSError) -> str:
    return f"{path} cannot be written: {exc.strerror}. What to do: create its folder, or give another path"


__all__ = ("TextfileError", "write_textfile")
