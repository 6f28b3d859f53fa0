# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the schema up to this release: ``python3 migrate.py``. Can be run at any time."""

from __future__ import annotations

import os
import sys

from guest_book.schema import migrate
from guest_book.settings import SettingsError, settings_from
from guest_book.troubles import DatabaseTroubleError


def main() -> int:
    try:
        server = migrate(settings_from(os.environ))
    except (SettingsError, DatabaseTroubleError) as exc:
        sys.stderr.write(f"The schema was not migrated: {exc}\n")
        return 1
    sys.stdout.write(f"The schema is up to date on {server}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
