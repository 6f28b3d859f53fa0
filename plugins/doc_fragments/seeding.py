# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channel between the two servers of a seeding."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that donor and target have in common."""

    DOCUMENTATION = r"""
options:
  channel_port:
    description:
      - TCP port on which a MariaDB donor listens while it serves. MySQL clones over its own port.
    type: int
    default: 4444
  channel_ca_file:
    description:
      - File with the authority that both certificates are signed by. MySQL's server has to be able to read it.
    type: path
    default: /etc/mysql/tls/ca.pem
  channel_certificate:
    description:
      - File with this host's certificate. On MariaDB it has to name the host's address.
    type: path
    default: /etc/mysql/tls/server.pem
  channel_key:
    description:
      - File with the key of O(channel_certificate).
    type: path
    default: /etc/mysql/tls/server.key
  channel_wait:
    description:
      - How many seconds each side waits for the other one to come.
    type: int
    default: 60
  channel_idle:
    description:
      - How many seconds the stream may stand still before it counts as broken.
    type: int
    default: 600
"""
