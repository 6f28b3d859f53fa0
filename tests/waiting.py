# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for something to become true, with an end to it."""

from __future__ import annotations

import time
import typing as t

_PAUSE_SECONDS = 0.1


def eventually(condition: t.Callable[[], t.Any], *, seconds: float) -> t.Any:
    """Wait for a condition; return its value, or fail with the last one."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
        time.sleep(_PAUSE_SECONDS)
    return value
