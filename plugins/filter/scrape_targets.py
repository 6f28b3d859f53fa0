# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: scrape_targets
short_description: What Prometheus asks, from the hosts of the inventory
version_added: 0.1.0
description:
  - Returns each exporter on each host of its group, in the shape that the role C(monitoring) accepts.
options:
  _input:
    description: Exporters, each with C(job), C(group) (a group of the inventory, or C(all)) and C(port).
    type: list
    elements: dict
    required: true
  hosts:
    description: The result of P(webinfra.stack.stack_hosts#filter).
    type: list
    elements: dict
    required: true
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
monitoring_targets: "{{ exporters | webinfra.stack.scrape_targets(webinfra_hosts) }}"
exporters:
  - {job: node, group: all, port: 9100}
  - {job: database, group: db_servers, port: 9104}
"""

RETURN = r"""
_value:
  description: One entry a target. The tier is the first group of the topology that the host is in.
  type: list
  elements: dict
  sample:
    - {job: node, host: db1, tier: db_servers, address: 10.20.0.31, port: 9100}
"""

import typing as t

from ansible_collections.webinfra.stack.plugins.plugin_utils import scrape_targets


def targets(
    exporters: t.Sequence[t.Mapping[str, t.Any]], hosts: t.Sequence[t.Mapping[str, t.Any]]
) -> list[dict[str, t.Any]]:
    return [target.as_result() for target in scrape_targets.scrape_targets(exporters, hosts)]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"scrape_targets": targets}
