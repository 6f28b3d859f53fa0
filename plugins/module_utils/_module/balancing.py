# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The pool of the balancer of this host: what is declared, what was set at run time, and how its servers are."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import time
import typing as t

from .._balancer.pool import Overrides, Pool, PoolError, Provider
from .asking import AskingFailedError, WebClient
from .host import read, write_at_once
from .providers import HaproxyBalancer, NginxBalancer

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible.module_utils.basic import AnsibleModule

    from .._balancer.pool import PoolServer
    from .._balancer.status import ServerStatus
    from .providers import Balancer

POOL = "/etc/webinfra/load_balancer.json"
OVERRIDES = "/var/lib/webinfra/load_balancer.json"
LOCK = "/run/webinfra-load-balancer.lock"
_PAUSE_SECONDS = 0.2
_PROBE_SECONDS = 2
_LOOKS_WITHOUT_SESSIONS = 2
"""In a row: between two requests of one client a single look may see none."""


class RunningPool:
    """The servers behind the balancer of this host."""

    def __init__(self, module: AnsibleModule) -> None:
        self.pool: Pool = _parsed(POOL, Pool.from_text, "this host has no balancer of the role load_balancer")
        self._balancer: Balancer = (
            HaproxyBalancer(self.pool) if self.pool.provider is Provider.HAPROXY else NginxBalancer(module, self.pool)
        )
        self.overrides = read_overrides()

    def look(self) -> list[ServerStatus]:
        return self._balancer.look(self.overrides)

    def status(self, server: PoolServer) -> ServerStatus:
        return next(status for status in self.look() if status.server == server)

    @property
    def pending(self) -> bool:
        return self._balancer.pending(self.overrides)

    @contextlib.contextmanager
    def locked(self) -> c.Iterator[None]:
        """Let nobody else set something on this host meanwhile, and see what was set last."""
        handle = os.open(LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self.overrides = read_overrides()
            yield
        finally:
            os.close(handle)

    def validate(self, overrides: Overrides) -> None:
        self._balancer.validate(overrides)

    def set(self, overrides: Overrides) -> None:
        """Write down what is set before it takes effect: a run that is killed in between is finished by the next."""
        write_at_once(OVERRIDES, overrides.to_text().encode(), mode=0o644, owner=0, group=0)
        self.overrides = overrides
        self._balancer.apply(overrides)

    def wait_until_idle(self, server: PoolServer, seconds: float) -> int:
        """Return how many sessions it still has, 0 as soon as there are none."""
        deadline = time.monotonic() + seconds
        idle = 0
        while True:
            left = self._balancer.sessions(server)
            idle = 0 if left else idle + 1
            if idle == _LOOKS_WITHOUT_SESSIONS or time.monotonic() >= deadline:
                return left
            time.sleep(_PAUSE_SECONDS)

    def why_not_ready(self, server: PoolServer, seconds: float = 0) -> str | None:
        """Ask a server itself for its health path, until it is ready or the time is over."""
        client = WebClient(
            f"http://{server.endpoint}{self.pool.health_path}",
            headers={},
            timeout=_PROBE_SECONDS,
            validate_certs=True,
            ca_file=None,
        )
        deadline = time.monotonic() + seconds
        while True:
            try:
                client.ask()
            except AskingFailedError as exc:
                if time.monotonic() >= deadline:
                    return str(exc)
            else:
                return None
            time.sleep(_PAUSE_SECONDS)

    def wait_until_up(self, server: PoolServer, seconds: float) -> bool:
        """Wait until the balancer has seen for itself that the server is up, where it can."""
        deadline = time.monotonic() + seconds
        while (up := self.status(server).up) is False and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
        return up is not False


def read_overrides() -> Overrides:
    """Return what was set for servers on this host, nothing where nothing was."""
    return _parsed(OVERRIDES, Overrides.from_text, "") if os.path.exists(OVERRIDES) else Overrides()


def now() -> str:
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")


def _parsed(path: str, parse: c.Callable[[str], t.Any], absent: str) -> t.Any:
    content = read(path)
    if content is None:
        raise PoolError(f"{path} does not exist: {absent}. What to do: run the role load_balancer here")
    try:
        return parse(content.decode())
    except PoolError as exc:
        raise PoolError(f"{path} cannot be used: {exc}") from exc


__all__ = ("OVERRIDES", "POOL", "RunningPool", "now", "read_overrides")
