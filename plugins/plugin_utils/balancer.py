# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of a balancer, as they are declared and as they were set at run time, and its certificates."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.module_utils._balancer import haproxy, nginx
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.certificates import Certificate, complaints
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import (
    Overrides,
    PoolError,
    PoolServer,
    Provider,
)

if t.TYPE_CHECKING:
    import collections.abc as c

Options = t.Mapping[str, t.Any]


def balancer_servers(servers: c.Iterable[Options], provider: str, overrides: Options | None = None) -> list[str]:
    """Return the provider's lines for the servers."""
    declared = [PoolServer.from_options(options) for options in servers]
    found = _overrides(overrides)
    if Provider(provider) is Provider.NGINX:
        return nginx.server_lines(declared, found)
    return haproxy.state_file(declared, found).splitlines()


def balanced_servers(servers: c.Iterable[Options], overrides: Options | None = None) -> list[dict[str, t.Any]]:
    """Return the servers with the weights with which they get requests now."""
    found = _overrides(overrides)
    declared = [PoolServer.from_options(options) for options in servers]
    return [{"name": server.name, "weight": found.share_of(server), "backup": server.backup} for server in declared]


def balancer_certificates(certificates: c.Iterable[Options]) -> list[dict[str, t.Any]]:
    """Return the certificates, with where HAProxy finds them."""
    declared = [Certificate.from_options(options) for options in certificates]
    found = complaints(declared)
    if found:
        raise AnsibleFilterError(f"load_balancer_certificates: {'; '.join(found)}")
    return [_with_haproxy_words(each) for each in declared]


def _with_haproxy_words(certificate: Certificate) -> dict[str, t.Any]:
    return {
        "names": list(certificate.names),
        "certificate": certificate.certificate,
        "private_key": certificate.private_key,
        "haproxy_path": certificate.haproxy_path,
        "haproxy_links": [{"path": path, "target": target} for path, target in certificate.haproxy_links.items()],
    }


def _overrides(overrides: Options | None) -> Overrides:
    try:
        return Overrides.from_result(overrides or {})
    except PoolError as exc:
        raise AnsibleFilterError(f"What was set for the servers of the balancer: {exc}") from exc


__all__ = ("balanced_servers", "balancer_certificates", "balancer_servers")
