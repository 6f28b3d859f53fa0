# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: private_certificate
short_description: A host's certificate from a private authority on the controller
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Keeps an authority in a directory of the controller and issues a certificate to a host, for the links that only our
    own hosts use. Runs on the controller, for many hosts at a time; the keys are files of mode 0600.
  - Issues anew when the certificate ends soon, when the host's name or addresses changed, when it is missing, and when
    another authority has signed it. The host's key stays.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
    support: full
requirements: ["cryptography >= 42 on the controller; ansible-core brings it"]
options:
  directory:
    description: Directory on the controller, readable by its owner alone. Created when missing.
    type: path
    required: true
  host:
    description: Name of the host, and of its two files. The first name in its certificate.
    type: str
    required: true
  names:
    description: Further names in the certificate.
    type: list
    elements: str
    default: []
  addresses:
    description: IP addresses in the certificate.
    type: list
    elements: str
    required: true
  valid_days:
    description: Days that a host's certificate is valid. The authority is valid ten times as long.
    type: int
    default: 365
  renew_days:
    description: Days before its end at which a certificate is issued anew.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Issue the host's certificate
  webinfra.stack.private_certificate:
    directory: "{{ inventory_dir }}/.webinfra/ca"
    host: "{{ inventory_hostname }}"
    addresses: ["{{ ansible_host }}"]
"""

RETURN = r"""
not_after:
  description: When the certificate ends, in UTC; in check mode when the predicted one would.
  returned: always
  type: str
  sample: "2027-11-27T21:05:11Z"
reason:
  description: Why it was issued; null where it was good.
  returned: always
  type: str
  sample: it ends on 2026-12-24
"""
