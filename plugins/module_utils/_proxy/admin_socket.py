# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
from __future__ import annotations

import socket
import typing as t

from .._balancer.pool import PoolError

if t.TYPE_CHECKING:
    import collections.abc as c

PATH = "/run/haproxy/admin.sock"
_TIMEOUT_SECONDS = 5


class AdminSocket:
    """HAProxy's own door for orders and questions."""

    def __init__(self, path: str = PATH) -> None:
        self._path = path

    def ask(self, question: str) -> str:
        """Send one line and return all that is printed."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.settimeout(_TIMEOUT_SECONDS)
                stream.connect(self._path)
                stream.sendall(f"{question}\n".encode())
                # The first process's socket goes on listening for more otherwise.
                stream.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: stream.recv(65536), b"")).decode(errors="replace")
        except OSError as exc:
            raise PoolError(
                f"HAProxy does not answer at {self._path}: {exc.strerror or exc}. What to do: see that haproxy.service "
                "runs with the configuration of the role load_balancer"
            ) from exc

    def order(self, orders: c.Iterable[str]) -> None:
        """Give orders; HAProxy says nothing when it obeys."""
        for order in orders:
            answer = self.ask(order).strip()
            if answer:
                raise PoolError(f"HAProxy refuses {order!r}: {answer}")


__all__ = ("PATH", "AdminSocket")
