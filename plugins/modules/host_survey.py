# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_survey
short_description: What a host runs, which packages it lacks, and how its services are
version_added: 0.1.0
description:
  - Reads C(/etc/os-release) and C(/proc/meminfo), and asks dpkg and C(ip) once. Changes nothing.
  - Answers the questions that every daily run has, in a fraction of the time of M(ansible.builtin.setup) and
    of M(ansible.builtin.apt) with nothing to do. What is missing is installed by M(ansible.builtin.apt).
  - With O(fingerprint_key) it also looks at everything that M(webinfra.stack.configured_service) and
    M(webinfra.stack.ufw_rules) have converged here before. Given that, they ask the host only where something differs.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: debian
    support: full
options:
  certificates:
    description: Paths of certificates in PEM whose end is of interest.
    type: list
    elements: path
    default: []
  packages:
    description: Names of the packages that the host should have.
    type: list
    elements: str
    default: []
  fingerprint_key:
    description:
      - A secret from which the fingerprints of files are made, so that a log with them gives nothing away.
      - Without it only the distribution and the packages are looked at.
    type: str
  links:
    description: Symbolic links of interest. Only looked at with O(fingerprint_key).
    type: list
    elements: path
    default: []
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Ask the host what it is
  webinfra.stack.host_survey:
    packages: [haproxy, ufw]
  register: survey

- name: Install what is missing
  ansible.builtin.apt:
    name: "{{ survey.missing_packages }}"
  when: survey.missing_packages | length > 0
"""

RETURN = r"""
ansible_facts:
  description:
    - The distribution, the memory in MiB and the number of processors, named as M(ansible.builtin.setup) names
      them. Unlike there, the version of a distribution without a number (Debian unstable) is its name.
  returned: always
  type: dict
  sample:
    ansible_distribution: Debian
    ansible_distribution_version: "13"
    ansible_memtotal_mb: 7951
    ansible_processor_vcpus: 4
addresses:
  description: The addresses of the host, each with the length of its network's prefix, and the interface that has it.
  returned: always
  type: list
  elements: dict
  sample:
    - {interface: lo, address: 127.0.0.1/8}
    - {interface: eth0, address: 10.20.0.11/24}
balancer_overrides:
  description: What was set for the servers of a balancer on this host at run time, by their names.
  returned: always
  type: dict
  sample:
    web1:
      {state: drain, weight: null, since: "2026-11-27T05:30:00+00:00", requested_by: anna, reason: new kernel}
certificates:
  description: When each of O(certificates) ends, in seconds since 1970. Null for one that cannot be read.
  returned: always
  type: dict
  sample: {/etc/letsencrypt/live/www.example.com/fullchain.pem: 1798761600}
has_ipv6:
  description: Whether the host's kernel has IPv6.
  returned: always
  type: bool
  sample: true
kernel_tunable:
  description: Whether the network parameters of the kernel can be set. In a container they mostly cannot.
  returned: always
  type: bool
  sample: true
missing_packages:
  description: Packages that are not installed, in the order in which they were asked for.
  returned: always
  type: list
  elements: str
  sample: [haproxy]
seen:
  description: What was seen of services, firewall and links. Null without O(fingerprint_key).
  returned: always
  type: dict
  contains:
    units:
      description: Each unit that was configured here, with its files, its state and what it has loaded.
      type: dict
      returned: always
    firewall:
      description: What UFW's files, the kernel and the open SSH sessions say. Null where that cannot be read.
      type: dict
      returned: always
    links:
      description: Where each of O(links) points. Null where it is no link.
      type: dict
      returned: always
      sample: {/srv/guest_book/current: /srv/guest_book/releases/0a1b2c3d}
time_daemon:
  description: What is installed to keep the time. Null where nothing is.
  returned: always
  type: str
  sample: systemd-timesyncd
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.pool import PoolError
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import UfwError
from ansible_collections.webinfra.stack.plugins.module_utils._module.balancing import read_overrides
from ansible_collections.webinfra.stack.plugins.module_utils._module.host import Host, SystemdError, read
from ansible_collections.webinfra.stack.plugins.module_utils._module.ufw import KERNEL_IPV6, Ufw
from ansible_collections.webinfra.stack.plugins.module_utils._replication.certificate import validity_of_file
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import RefusedError
from ansible_collections.webinfra.stack.plugins.module_utils._service.survey import (
    distribution,
    interface_addresses,
    memory_mb,
    missing_packages,
)

OS_RELEASE = "/etc/os-release"
MEMORY = "/proc/meminfo"
NETWORK_PARAMETERS = "/proc/sys/net"
TIME_DAEMONS = {
    "chrony": "/usr/sbin/chronyd",
    "ntpsec": "/usr/sbin/ntpd",
    "systemd-timesyncd": "/usr/lib/systemd/systemd-timesyncd",
}
OPTIONS: dict[str, t.Any] = {
    "certificates": {"type": "list", "elements": "path", "default": []},
    "packages": {"type": "list", "elements": "str", "default": []},
    "fingerprint_key": {"type": "str", "no_log": True},
    "links": {"type": "list", "elements": "path", "default": []},
}


def seen(module: AnsibleModule) -> dict[str, t.Any]:
    """Look at what our modules converge; what cannot be read is left to them, who can say why."""
    host = Host(module, key=module.params["fingerprint_key"].encode())
    try:
        units = {unit: sight.as_result() for unit, sight in host.survey().items()}
    except SystemdError:
        units = {}
    try:
        firewall = Ufw(module).observe().as_result()
    except UfwError:
        firewall = None
    return {"units": units, "firewall": firewall, "links": host.links(module.params["links"])}


def end_of(path: str) -> int | None:
    """Return when a certificate ends; who renews it may be writing it, or has written nothing yet."""
    try:
        return validity_of_file((read(path) or b"").decode("latin-1"))[1]
    except (RefusedError, OSError):
        return None


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    with open(OS_RELEASE, encoding="utf-8") as stream:
        name, version = distribution(stream.read())
    with open(MEMORY, encoding="ascii") as stream:
        memory = memory_mb(stream.read())
    packages = module.params["packages"]
    listing = ""
    if packages and module.get_bin_path("dpkg-query"):
        # Its exit status is 1 as soon as one package is unknown; the answer is in what it prints.
        command = ["dpkg-query", "--show", "--showformat", r"${Package} ${db:Status-Status}\n", *packages]
        _code, listing, _err = module.run_command(command)
    addresses = ""
    if module.get_bin_path("ip"):
        _code, addresses, _err = module.run_command(["ip", "-o", "addr"])
    try:
        overrides = read_overrides()
    except PoolError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(
        changed=False,
        addresses=interface_addresses(addresses),
        balancer_overrides=overrides.as_result(),
        ansible_facts={
            "ansible_distribution": name,
            "ansible_distribution_version": version,
            "ansible_memtotal_mb": memory,
            "ansible_processor_vcpus": os.cpu_count(),
        },
        certificates={path: end_of(path) for path in module.params["certificates"]},
        has_ipv6=os.path.exists(KERNEL_IPV6),
        # Not a question of permissions: where nobody can, the file system is mounted read-only.
        kernel_tunable=os.access(NETWORK_PARAMETERS, os.W_OK),
        missing_packages=missing_packages(packages, listing),
        seen=seen(module) if module.params["fingerprint_key"] else None,
        time_daemon=next((name for name, path in TIME_DAEMONS.items() if os.path.exists(path)), None),
    )


if __name__ == "__main__":
    main()
