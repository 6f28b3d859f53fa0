# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Let a unit run with another release, and go back by itself where that is not well."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._release.gate import Gate
from .._release.record import Shelf
from .._service.unit import parse_show
from .asking import AskingFailedError, WebClient
from .releases import Home, ReleaseError, last_lines

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_FIRST_PAUSE_SECONDS, _LONGER, _LONGEST_PAUSE_SECONDS = 0.1, 1.3, 1.0
"""A healthy release is noticed at once, and the journal of another one is not all about this asking."""
_PROBE_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningUnit:
    """The unit of an application, and where it says that it is well."""

    module: AnsibleModule
    unit: str
    health_url: str
    header: str
    seconds: float

    def complaint(self, release: str) -> str:
        """Return what is wrong with what answers now, empty for nothing."""
        if not self.health_url:
            return ""
        client = WebClient(self.health_url, headers={}, timeout=_PROBE_SECONDS, validate_certs=True, ca_file=None)
        try:
            return Gate(release=release, header=self.header).complaint(client.ask().headers)
        except AskingFailedError as exc:
            return str(exc)

    def restart(self, release: str) -> str:
        """Restart the unit and wait until the release answers; return what is wrong when it does not."""
        # A unit that has failed too often is not started again, and the release before it did not fail.
        self.module.run_command(["systemctl", "reset-failed", self.unit])
        before = self._restarts()
        code, _out, err = self.module.run_command(["systemctl", "restart", self.unit])
        if code != 0:
            return f"it does not start: {err.strip()}"
        deadline = time.monotonic() + self.seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            complaint = self.complaint(release)
            if not complaint or time.monotonic() >= deadline:
                return complaint and f"after {self.seconds:g} s it was {complaint}"
            # Who waits longer sees the same once more: it was started by the same files.
            if self._restarts() > before:
                return "it ends as soon as it is started"
            time.sleep(pause)
            pause = min(pause * _LONGER, _LONGEST_PAUSE_SECONDS)

    def journal(self, since: float) -> str:
        _code, out, _err = self.module.run_command(
            ["journalctl", "--unit", self.unit, "--since", f"@{since:.0f}", "--no-pager", "--output", "cat"]
        )
        return last_lines(out)

    def _restarts(self) -> int:
        _code, out, _err = self.module.run_command(["systemctl", "show", "--property=NRestarts", self.unit])
        return int(parse_show(out)[0].get("NRestarts") or 0)


def switch(home: Home, shelf: Shelf, unit: RunningUnit, release: str) -> None:
    """Run with the release, or be as before and say why."""
    begun = time.time()
    home.point_to(release)
    complaint = unit.restart(release)
    if complaint:
        journal = unit.journal(begun)
        raise _failure(home, release, complaint, _gone_back(home, shelf, unit, release), journal)


def restart(home: Home, unit: RunningUnit, release: str) -> None:
    """Start the same release anew; there is nothing to go back to."""
    begun = time.time()
    complaint = unit.restart(release)
    if complaint:
        raise _failure(home, release, complaint, "It was only restarted", unit.journal(begun))


def _gone_back(home: Home, shelf: Shelf, unit: RunningUnit, release: str) -> str:
    """Return to what ran before, and say how that went."""
    # Killed between the link and the restart, a run leaves the link at what never ran.
    before = Shelf(current=shelf.previous) if shelf.current == release else shelf
    if not shelf.has(before.current):
        return "There is no release before it to go back to"
    home.point_back(before)
    complaint = unit.restart(before.current)
    if complaint:
        return f"This host was put back to {before.current}, and that is not well either: {complaint}"
    return f"This host runs {before.current} again and is healthy"


def _failure(home: Home, release: str, complaint: str, outcome: str, journal: str) -> ReleaseError:
    return ReleaseError(
        f"{home.name} {release} does not become healthy: {complaint}. {outcome}\n"
        f"The last lines of its journal:\n{journal or '(nothing)'}"
    )


__all__ = ("RunningUnit", "restart", "switch")
