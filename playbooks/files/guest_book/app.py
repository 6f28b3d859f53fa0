# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gunicorn runs: ``gunicorn --config gunicorn.conf.py app:app``."""

from __future__ import annotations

import logging
import os
import sys

from guest_book.settings import settings_from
from guest_book.web import create_app

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
app = create_app(settings_from(os.environ))
