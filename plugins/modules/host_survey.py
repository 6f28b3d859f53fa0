# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: host_survey
short_description: What a host runs, and which packages it lacks
version_added: 0.1.0
description:
  - Reads C(/etc/os-release) and asks dpkg once. Changes nothing.
  - Answers two questions that every daily run has, in a fraction of the time of M(ansible.builtin.setup) and
    of M(ansible.builtin.apt) with nothing to do. What is missing is installed by M(ansible.builtin.apt).
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
  packages:
    description: Names of the packages that the host should have.
    type: list
    elements: str
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
    - The distribution, named as M(ansible.builtin.setup) names it. Unlike there, the version of a distribution
      without a number (Debian unstable) is its name.
  returned: always
  type: dict
  sample: {ansible_distribution: Debian, ansible_distribution_version: "13"}
missing_packages:
  description: Packages that are not installed, in the order in which they were asked for.
  returned: always
  type: list
  elements: str
  sample: [haproxy]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._service.survey import distribution, missing_packages

OS_RELEASE = "/etc/os-release"


def main() -> t.NoReturn:
    module = AnsibleModule(
        argument_spec={"packages": {"type": "list", "elements": "str", "default": []}}, supports_check_mode=True
    )
    with open(OS_RELEASE, encoding="utf-8") as stream:
        name, version = distribution(stream.read())
    packages = module.params["packages"]
    listing = ""
    if packages and module.get_bin_path("dpkg-query"):
        # Its exit status is 1 as soon as one package is unknown; the answer is in what it prints.
        command = ["dpkg-query", "--show", "--showformat", r"${Package} ${db:Status-Status}\n", *packages]
        _code, listing, _err = module.run_command(command)
    module.exit_json(
        changed=False,
        ansible_facts={"ansible_distribution": name, "ansible_distribution_version": version},
        missing_packages=missing_packages(packages, listing),
    )


if __name__ == "__main__":
    main()
