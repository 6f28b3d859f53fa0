# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a form comes from."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_foreign(*, site: str | None, origin: str | None, host: str) -> bool:
    """Whether a browser says that another site's page sends this, in Sec-Fetch-Site or else in Origin.

    Programs other than browsers say nothing of the kind and carry nobody's cookies, so silence is not foreign.
    """
    if site is not None:
        return site not in {"same-origin", "none"}
    if origin is None:
        return False
    # Without the ports: a balancer may forward the host's name alone.
    return _host_of(origin) != _host_of(f"//{host}")


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


__all__ = ("is_foreign",)
