# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The certificates of a balancer: which names each is for, and where its files are on the host."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import collections.abc as c

HAPROXY_DIRECTORY = "/etc/haproxy/certificates"
_NAME = re.compile(r"(?:\*\.)?(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
"""Rule: RFC 1123, section 2.1; an asterisk as RFC 9525, section 6.3, lets certificates have it."""
_PATH = re.compile(r"/[\w.@+=:~/-]+", re.ASCII)
"""What both providers' files and a shell take as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate with its chain, its private key, and the names under which clients ask for it."""

    names: tuple[str, ...]
    certificate: str
    private_key: str

    @classmethod
    def from_options(cls, options: c.Mapping[str, t.Any]) -> Certificate:
        return cls(
            names=tuple(name.lower() for name in options["names"]),
            certificate=options["certificate"],
            private_key=options["private_key"],
        )

    @property
    def haproxy_path(self) -> str:
        """Where HAProxy finds it; it takes the private key from the same path with ``.key`` behind it.

        Another pair of files gets another path, so that no link ever changes what it points to.
        """
        name = self.names[0].replace("*", "_")
        pair = hashlib.sha256(f"{self.certificate}\n{self.private_key}".encode()).hexdigest()
        return f"{HAPROXY_DIRECTORY}/{name}-{pair[:8]}.pem"

    @property
    def haproxy_links(self) -> dict[str, str]:
        """By path: where it points."""
        return {self.haproxy_path: self.certificate, f"{self.haproxy_path}.key": self.private_key}

    def complaints(self) -> list[str]:
        """Say what cannot be used."""
        found = [f"{name!r} is not the name of a host" for name in self.names if not _NAME.fullmatch(name)]
        found += [
            f"{path!r} is not an absolute path of letters, digits and . @ + = : ~ - _"
            for path in (self.certificate, self.private_key)
            if not _PATH.fullmatch(path)
        ]
        return found if self.names else ["it has no names", *found]


def complaints(certificates: c.Sequence[Certificate]) -> list[str]:
    """Say what is wrong with them, each and together."""
    found = []
    owners: dict[str, int] = {}
    for number, certificate in enumerate(certificates, start=1):
        found += [f"certificate {number}: {complaint}" for complaint in certificate.complaints()]
        for name in dict.fromkeys(certificate.names):
            if name in owners:
                found.append(f"certificates {owners[name]} and {number} are both for {name}")
            owners.setdefault(name, number)
    return found


__all__ = ("HAPROXY_DIRECTORY", "Certificate", "complaints")
