# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of the controller that others may read at any moment, and that a killed run leaves as it was."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

if t.TYPE_CHECKING:
    from pathlib import Path

EVERYBODY_MAY_READ = 0o644
ITS_OWNER_MAY_READ = 0o600


def replace_file(path: Path, content: bytes, *, mode: int = EVERYBODY_MAY_READ) -> None:
    """Replace a file in one step: who reads it meanwhile sees the old one or the new one."""
    # Until it is complete it is its owner's alone, and so it is never too much of a secret for its mode.
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), mode)
        os.replace(unfinished, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


__all__ = ("EVERYBODY_MAY_READ", "ITS_OWNER_MAY_READ", "replace_file")
