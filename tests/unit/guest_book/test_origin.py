# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from guest_book.origin import is_foreign


@pytest.mark.parametrize(
    ("site", "origin", "host", "foreign"),
    [
        ("same-origin", None, "book.example", False),
        ("none", None, "book.example", False),
        ("cross-site", None, "book.example", True),
        ("same-site", None, "book.example", True),
        ("cross-site", "https://book.example", "book.example", True),
        (None, "https://book.example", "book.example", False),
        (None, "http://127.0.0.1:8080", "127.0.0.1", False),
        (None, "https://evil.example", "book.example", True),
        (None, "https://book.example.evil.example", "book.example", True),
        (None, "null", "book.example", True),
        (None, "http://[broken", "book.example", True),
        (None, None, "book.example", False),
    ],
)
def test_only_pages_of_this_site_may_send_forms(site, origin, host, foreign):
    assert is_foreign(site=site, origin=origin, host=host) is foreign
