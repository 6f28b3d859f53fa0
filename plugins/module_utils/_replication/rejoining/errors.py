# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What can go wrong while transactions are saved."""

from __future__ import annotations

from ..errors import DatabaseError


class ExtractionFailedError(DatabaseError):
    """The program that reads binary logs is missing, has failed, or has left something out."""


__all__ = ("ExtractionFailedError",)
