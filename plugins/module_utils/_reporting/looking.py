# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Look at the host that this runs on."""

from __future__ import annotations

import os
import subprocess
import typing as t

from .host import HostSight, failed, filters, held

if t.TYPE_CHECKING:
    import collections.abc as c

_REBOOT_FILE = "/run/reboot-required"
_SECONDS = 5
_FAILED = ("systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager")


def look(addresses: c.Sequence[str], say: c.Callable[[str], None]) -> HostSight:
    """Ask each program once; one that fails is named, and what it would have said is left out."""
    firewall = _answer(("iptables", "-S"), say)
    units = _answer(_FAILED, say)
    interfaces = _answer(("ip", "-o", "addr"), say)
    return HostSight(
        reboot_required=os.path.exists(_REBOOT_FILE),
        firewall_active=None if firewall is None else filters(firewall),
        failed_units=None if units is None else failed(units),
        shared_addresses=None if interfaces is None else held(interfaces, addresses),
    )


def _answer(command: c.Sequence[str], say: c.Callable[[str], None]) -> str | None:
    try:
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
        )
    except subprocess.CalledProcessError as exc:
        say(f"{' '.join(command)} failed: {exc.stderr.strip()}")
        return None
    except (OSError, subprocess.TimeoutExpired) as exc:
        say(f"{' '.join(command)} failed: {exc}")
        return None
    return done.stdout


__all__ = ("look",)
