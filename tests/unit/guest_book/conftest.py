# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from pathlib import Path

# The application is a directory that is deployed as it stands, not a part of the collection's namespace.
sys.path.insert(0, str(Path(__file__).parents[3] / "playbooks" / "files" / "guest_book"))
