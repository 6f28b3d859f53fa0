# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a database module gets into its server."""

from __future__ import annotations


class ModuleDocFragment:
    """The login options of every module that talks to a single server."""

    DOCUMENTATION = r"""
options:
  login_unix_socket:
    description:
      - The server's socket. Used when O(login_host) is not given.
      - As the system user V(root) this needs no password on Debian, for both engines.
    type: path
    default: /run/mysqld/mysqld.sock
  login_host:
    description:
      - Name or address of the server. With it the connection goes over TCP instead of the socket.
    type: str
  login_port:
    description:
      - The server's TCP port. Has no effect on the socket.
    type: int
    default: 3306
  login_user:
    description:
      - The account to log in with.
    type: str
    default: root
  login_password:
    description:
      - The password of O(login_user). Leave it empty for an account that the socket vouches for.
    type: str
    default: ""
  ca_file:
    description:
      - File with the authority of the server's certificate, where the module runs.
      - With it a TCP connection must be TLS, and the certificate must be signed by this authority and name
        O(login_host).
        Without it TLS is used if the server offers it and PyMySQL is 1.2 or later, and nothing is verified.
    type: path
  connect_timeout:
    description:
      - How many seconds to wait for a connection before the server counts as unreachable.
    type: int
    default: 3
requirements:
  - PyMySQL (the package C(python3-pymysql) on Debian)
  - MariaDB 10.11 or later, or MySQL 9 or later
"""
