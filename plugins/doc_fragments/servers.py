# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers of a topology, for every module that speaks to all of them."""

from __future__ import annotations


class ModuleDocFragment:
    """The servers and how to get into them; which rights the account needs stands in the module."""

    DOCUMENTATION = r"""
options:
  servers:
    description:
      - All database servers of the topology. One that is not listed takes no part.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the server is called in results.
        type: str
        required: true
      host:
        description:
          - Name or address of the server, from where the module runs. A module that makes servers follow each other
            tells them this one, too.
        type: str
        required: true
      port:
        description:
          - TCP port of the server.
        type: int
        default: 3306
      addresses:
        description:
          - Other names and addresses by which its replicas may follow it.
        type: list
        elements: str
        default: []
  login_password:
    description:
      - The password of O(login_user).
    type: str
    default: ""
  ca_file:
    description:
      - File with the authority of the servers' certificates, where the module runs.
      - With it every connection must be TLS, and every certificate must be signed by this authority and name the
        server as O(servers[].host) does. Without it nothing is verified.
    type: path
  connect_timeout:
    description:
      - How many seconds to wait for a connection before a server counts as unreachable.
    type: int
    default: 1
requirements:
  - PyMySQL (the package C(python3-pymysql) on Debian)
  - MariaDB 10.11 or later, or MySQL 9 or later
"""
