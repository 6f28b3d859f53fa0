# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: balancer_certificates
short_description: The certificates of a balancer, checked, and where HAProxy finds them
version_added: 0.1.0
description:
  - Returns the certificates with the path that HAProxy is given for each, and the symbolic links that must be there.
    HAProxy 2.6 wants the private key beside the certificate, with C(.key) behind its name. No key is copied.
  - Fails on names and paths that cannot be used, and on a name that two certificates are for.
options:
  _input:
    description: The certificates, as the role P(webinfra.stack.load_balancer#role) accepts them.
    type: list
    elements: dict
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
links: "{{ certificates | webinfra.stack.balancer_certificates | map(attribute='haproxy_links') | flatten }}"
"""

RETURN = r"""
_value:
  description: The certificates.
  type: list
  elements: dict
  sample:
    - names: [www.example.com, example.com]
      certificate: /etc/letsencrypt/live/www.example.com/fullchain.pem
      private_key: /etc/letsencrypt/live/www.example.com/privkey.pem
      haproxy_path: /etc/haproxy/certificates/www.example.com-0a1b2c3d.pem
      haproxy_links:
        - path: /etc/haproxy/certificates/www.example.com-0a1b2c3d.pem
          target: /etc/letsencrypt/live/www.example.com/fullchain.pem
        - path: /etc/haproxy/certificates/www.example.com-0a1b2c3d.pem.key
          target: /etc/letsencrypt/live/www.example.com/privkey.pem
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils.balancer import balancer_certificates


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"balancer_certificates": balancer_certificates}
