# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Close a server that must not take writes any more, by its own words or by ending it."""

from __future__ import annotations

import enum
import time
import typing as t
from dataclasses import dataclass

from .._replication.errors import (
    ConnectionFailedError,
    DatabaseError,
    LoginRefusedError,
    StatementFailedError,
    StatementTimeoutError,
)
from .._replication.moves.transactions import close_writes, cut_clients
from .._replication.session import Statement
from .login import session_for

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible.module_utils.basic import AnsibleModule

    from .._replication.session import Session

UNITS = ("mariadb.service", "mysql.service")
"""The first one that the host has: Debian's mariadb.service is called mysql.service as well."""
_LOCK_WAIT_TIMEOUT = 1205
_PATIENCE_OF_SYSTEMD = 15
"""How many seconds systemd has to start the server again, before it is started here."""
_PAUSE_SECONDS = 0.2
_AT_REST = ("inactive", "failed")


class FencingFailedError(Exception):
    """The server may still take writes, or does not come back."""


class How(enum.Enum):
    """What made the server take no writes."""

    CLOSED = "closed"
    KILLED = "killed"
    WAS_CLOSED = "was_closed"
    DOWN = "down"
    STARTED = "started"
    """It was about to start, and did so closed."""


_WITHOUT_ANSWER = {**dict.fromkeys(_AT_REST, How.DOWN), **dict.fromkeys(("active", "reloading"), How.KILLED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what a server is fenced."""

    end: c.Callable[[str], object]
    """Ends the unit's processes at once."""
    start: c.Callable[[str], object]
    state: c.Callable[[str], str]
    """Asks for the unit's state, in systemd's words."""
    session: c.Callable[[], t.ContextManager[Session]]
    clock: c.Callable[[], float] = time.monotonic
    sleep: c.Callable[[float], None] = time.sleep


def fence(module: AnsibleModule) -> dict[str, t.Any]:
    """Fence the server of this host as the module's options say."""
    unit = module.params["unit"] or _unit(module)
    means = Means(
        end=lambda unit: _done(module, "kill", "--signal=KILL", unit),
        start=lambda unit: _done(module, "start", unit),
        state=lambda unit: _property(module, "ActiveState", unit),
        session=lambda: session_for(module.params, statement_timeout=module.params["timeout"] + 1),
    )
    how = close(unit, module.params, means, check_mode=module.check_mode)
    changed = how in (How.CLOSED, How.KILLED)
    if changed and not module.check_mode:
        module.log(f"{unit} takes no writes any more ({how.value}): {module.params['reason']}")
    return {"changed": changed, "how": how.value, "unit": unit, "diff": _diff(how)}


def close(unit: str, params: c.Mapping[str, t.Any], means: Means, *, check_mode: bool) -> How:
    """Close the server; end it where it does not let itself be closed."""
    how = _by_its_own_words(unit, params, means, check_mode=check_mode)
    if how is How.KILLED and not check_mode:
        # It waits in commits that nobody acknowledges, or does not answer at all. To let the commits go would tell
        # clients that their rows are safe, and nobody else has them.
        means.end(unit)
    if how in (How.KILLED, How.STARTED) and not check_mode:
        _await_closed(unit, params, means)
    return how


def _by_its_own_words(unit: str, params: c.Mapping[str, t.Any], means: Means, *, check_mode: bool) -> How:
    try:
        with means.session() as session:
            if _closed(session):
                return How.WAS_CLOSED
            if not check_mode:
                close_writes(session, params["timeout"])
                cut_clients(session, params["login_user"])
            return How.CLOSED
    except StatementFailedError as exc:
        if exc.code != _LOCK_WAIT_TIMEOUT:
            raise
        return How.KILLED
    except StatementTimeoutError:
        return How.KILLED
    except LoginRefusedError:
        raise
    except ConnectionFailedError:
        return _WITHOUT_ANSWER.get(means.state(unit), How.STARTED)


def _closed(session: Session) -> bool:
    return bool(session.query(Statement(session.dialect.moves.closed))[0]["closed"])


def _await_closed(unit: str, params: c.Mapping[str, t.Any], means: Means) -> None:
    """Wait until it answers again and takes no writes, as its configuration says."""
    began = means.clock()
    helped = False
    reason = "it does not answer"
    while means.clock() < began + params["restart_timeout"]:
        try:
            with means.session() as session:
                if _closed(session):
                    return
                reason = "it takes writes again, so its configuration does not say read_only"
                close_writes(session, params["timeout"])
        except DatabaseError as exc:
            reason = str(exc)
        if not helped and means.clock() >= began + _PATIENCE_OF_SYSTEMD and means.state(unit) in _AT_REST:
            means.start(unit)
            helped = True
        means.sleep(_PAUSE_SECONDS)
    raise FencingFailedError(
        f"{unit} was ended and is not back and closed after {params['restart_timeout']} s: {reason}. What to do: look "
        "into its journal; it takes no writes as long as it does not run"
    )


def _unit(module: AnsibleModule) -> str:
    found = next((unit for unit in UNITS if _property(module, "LoadState", unit) == "loaded"), None)
    if found is None:
        raise FencingFailedError(f"This host has none of {', '.join(UNITS)}. What to do: give unit, or another host")
    return found


def _property(module: AnsibleModule, name: str, unit: str) -> str:
    return _done(module, "show", f"--property={name}", "--value", unit).strip()


def _done(module: AnsibleModule, *words: str) -> str:
    code, out, err = module.run_command(["systemctl", *words])
    if code:
        raise FencingFailedError(f"systemctl {' '.join(words)} failed: {err.strip()}. Is systemd the host's PID 1?")
    return str(out)


def _diff(how: How) -> dict[str, dict[str, str]]:
    after = "not running" if how is How.DOWN else "closed"
    return {
        "before": {"writes": "open" if how in (How.CLOSED, How.KILLED) else after},
        "after": {"writes": after},
    }


__all__ = ("FencingFailedError", "How", "Means", "close", "fence")
