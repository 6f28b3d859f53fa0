# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A balancer of this host, whichever program it is."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
import typing as t

from .._balancer import haproxy, nginx
from .._balancer.pool import PoolError
from .._proxy.admin_socket import AdminSocket
from .._proxy.connections import connections_to
from .._proxy.request_log import last_lines
from .._proxy.workers import working
from .host import Host, read, write_at_once

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._balancer.pool import Overrides, Pool, PoolServer
    from .._balancer.status import ServerStatus

HAPROXY_STATE = "/etc/haproxy/servers.state"
HAPROXY_FIRST_PROCESS = "/run/haproxy-master.sock"
NGINX_CONFIGURATION = "/etc/nginx/nginx.conf"
NGINX_UNIT = "nginx.service"
_PAUSE_SECONDS = 0.1
_TAKING_OVER_SECONDS = 10
"""What a reload may take until the new configuration is in force; it takes some ten milliseconds."""


class Balancer(t.Protocol):
    """A provider that runs on this host."""

    def look(self, overrides: Overrides) -> list[ServerStatus]:
        """Ask for all servers."""

    def sessions(self, server: PoolServer) -> int:
        """Count what a server has still to answer, in old processes as well."""

    def pending(self, overrides: Overrides) -> bool:
        """Tell whether something is set that has not taken effect: a run was killed in between."""

    def validate(self, overrides: Overrides) -> None:
        """Fail where what is set cannot take effect, before anything is changed."""

    def apply(self, overrides: Overrides) -> None:
        """Bring the servers to what is set for them, now and after a restart, and return when that is so."""


class HaproxyBalancer:
    """Takes orders at once, and reads what is set from a file when it starts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._socket = AdminSocket()

    def look(self, overrides: Overrides) -> list[ServerStatus]:
        return haproxy.parse_look(self._socket.ask(haproxy.LOOK), self._pool, overrides)

    def sessions(self, server: PoolServer) -> int:
        current = haproxy.parse_sessions(self._socket.ask(haproxy.COUNTS), server)
        return current + sum(
            haproxy.parse_sessions(answer, server)
            for worker in self._old_workers()
            if (answer := self._ask_old(worker, haproxy.COUNTS))
        )

    def pending(self, overrides: Overrides) -> bool:
        return read(HAPROXY_STATE) != self._state(overrides)

    def validate(self, overrides: Overrides) -> None:
        self.look(overrides)

    def apply(self, overrides: Overrides) -> None:
        if self.pending(overrides):
            write_at_once(HAPROXY_STATE, self._state(overrides), mode=0o644, owner=0, group=0)
        deadline = time.monotonic() + _TAKING_OVER_SECONDS
        # While it is being reloaded, the next worker may have read the file before it was written.
        while found := [order for status in self.look(overrides) for order in haproxy.orders(status, overrides)]:
            if time.monotonic() >= deadline:
                raise PoolError(f"HAProxy was told {'; '.join(found)}, and does not do it")
            self._socket.order(found)
            for worker in self._old_workers():
                for order in found:
                    self._ask_old(worker, order)
            time.sleep(_PAUSE_SECONDS)

    def _old_workers(self) -> list[int]:
        """Return those that finish what they have after a reload; none where the first process has no socket."""
        if not os.path.exists(HAPROXY_FIRST_PROCESS):
            return []
        return haproxy.parse_old_workers(AdminSocket(HAPROXY_FIRST_PROCESS).ask("show proc"))

    def _ask_old(self, worker: int, question: str) -> str | None:
        """Ask one that may have ended meanwhile."""
        answer = AdminSocket(HAPROXY_FIRST_PROCESS).ask(f"@!{worker} {question}")
        return answer if "# pxname" in answer else None

    def _state(self, overrides: Overrides) -> bytes:
        return haproxy.state_file(self._pool.servers, overrides).encode()


class NginxBalancer:
    """Knows what stands in its configuration, and takes over another one by a reload."""

    def __init__(self, module: AnsibleModule, pool: Pool) -> None:
        self._module = module
        self._pool = pool
        self._host = Host(module)

    def look(self, overrides: Overrides) -> list[ServerStatus]:
        return nginx.read_statuses(
            self._pool,
            overrides,
            configuration=self._configuration(),
            sessions=connections_to(),
            log=last_lines(),
        )

    def sessions(self, server: PoolServer) -> int:
        return connections_to()[server.endpoint]

    def pending(self, overrides: Overrides) -> bool:
        current = self._configuration()
        loaded = self._host.has_loaded(NGINX_UNIT, NGINX_CONFIGURATION, current.encode())
        return not loaded or current != self._wanted(current, overrides)

    def validate(self, overrides: Overrides) -> None:
        handle, path = tempfile.mkstemp(dir=self._module.tmpdir, suffix="-nginx.conf")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(self._wanted(self._configuration(), overrides))
        self._run(f"nginx -t -q -c {shlex.quote(path)}")

    def apply(self, overrides: Overrides) -> None:
        old = self._configuration()
        new = self._wanted(old, overrides).encode()
        if new != old.encode():
            found = os.stat(NGINX_CONFIGURATION)
            write_at_once(NGINX_CONFIGURATION, new, mode=found.st_mode & 0o7777, owner=found.st_uid, group=found.st_gid)
        before = working()
        self._run(f"systemctl reload {NGINX_UNIT}")
        self._await_others(before)
        self._host.remember_reloaded(NGINX_UNIT, NGINX_CONFIGURATION, new)

    def _await_others(self, before: frozenset[int]) -> None:
        """Wait until the workers with the older configuration take no new connection: a reload only asks for that."""
        deadline = time.monotonic() + _TAKING_OVER_SECONDS
        while not (now := working()) or now & before:
            if time.monotonic() >= deadline:
                raise PoolError(
                    "nginx goes on with its older configuration. What to do: see /var/log/nginx/error.log, and whether "
                    f"{NGINX_UNIT} runs"
                )
            time.sleep(_PAUSE_SECONDS)

    def _configuration(self) -> str:
        content = read(NGINX_CONFIGURATION)
        if content is None:
            raise PoolError(f"{NGINX_CONFIGURATION} does not exist; run the role load_balancer")
        return content.decode()

    def _wanted(self, current: str, overrides: Overrides) -> str:
        return nginx.with_server_lines(current, nginx.server_lines(self._pool.servers, overrides))

    def _run(self, command: str) -> None:
        code, out, err = self._module.run_command(shlex.split(command))
        if code != 0:
            raise PoolError(f"{command} failed: {(err or out).strip()}")


__all__ = ("Balancer", "HaproxyBalancer", "NginxBalancer")
