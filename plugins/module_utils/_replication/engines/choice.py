# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Which dialect a server speaks, from the version in its greeting."""

from __future__ import annotations

import re
import typing as t

from ..errors import ConnectionFailedError
from .mariadb import MariaDB
from .mysql import MySQL

if t.TYPE_CHECKING:
    from .base import Dialect

_OLDEST_MARIADB = (10, 11)
_OLDEST_MYSQL = (9, 0)


def dialect_of(greeting: str) -> Dialect:
    """Choose the dialect; C(5.5.5-) is what MariaDB puts in front for clients older than itself."""
    mariadb = "mariadb" in greeting.lower()
    found = re.match(r"(?:5\.5\.5-)?(\d+)\.(\d+)", greeting)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < (_OLDEST_MARIADB if mariadb else _OLDEST_MYSQL):
        raise ConnectionFailedError(f"{greeting} is not supported", "use MariaDB 10.11 or later, or MySQL 9 or later")
    return MariaDB() if mariadb else MySQL()


__all__ = ("dialect_of",)
