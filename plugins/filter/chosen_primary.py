# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: chosen_primary
short_description: Name the primary by what the database servers say
version_added: 0.1.0
author: The webinfra.stack maintainers (@webinfra)
description:
  - Decides which server is the primary from what M(webinfra.stack.replication_info) has returned for each of them,
    so that
    a run never undoes a failover.
  - A server that takes writes and has data is the primary. If none does, it is the closed one that the others
    follow and
    that has all they have. Only where nothing speaks against it the initial one is taken.
  - It fails, saying what it saw and what to do, when there are two, or when a wrong choice could lose data.
options:
  _input:
    description: The database servers.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the server is called.
        type: str
        required: true
      replication:
        description: >-
          The RV(webinfra.stack.replication_info#module:replication) of the server. Null when it could not be asked.
        type: dict
      host:
        description: The address by which its replicas follow it.
        type: str
      addresses:
        description: Further names and addresses by which its replicas may follow it.
        type: list
        elements: str
      port:
        description: The TCP port by which its replicas follow it.
        type: int
        default: 3306
  initial:
    description: The name of the server that becomes the primary when none of them has been one yet.
    type: str
    required: true
seealso:
  - module: webinfra.stack.replication_info
"""

EXAMPLES = r"""
- name: Find the primary
  ansible.builtin.set_fact:
    database_primary: "{{ servers | webinfra.stack.chosen_primary('db1') }}"
  vars:
    servers:
      - name: db1
        host: 10.0.3.11
        replication: "{{ hostvars.db1.database_status.replication | default(none) }}"
      - name: db2
        host: 10.0.3.12
        replication: "{{ hostvars.db2.database_status.replication | default(none) }}"
"""

RETURN = r"""
_value:
  description: The name of the primary.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.status import ServerStatus
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import Refusal
from ansible_collections.webinfra.stack.plugins.module_utils._replication.topology import Server, choose_primary

if t.TYPE_CHECKING:
    import collections.abc as c


def chosen_primary(servers: c.Iterable[c.Mapping[str, t.Any]], initial: str) -> str:
    try:
        decision = choose_primary([server_of(entry) for entry in servers], initial)
    except DatabaseError as exc:
        raise AnsibleFilterError(str(exc)) from exc
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise AnsibleFilterError(
            f"chosen_primary wants a list of name, host and replication as replication_info returns it: {exc!r}"
        ) from exc
    if isinstance(decision, Refusal):
        raise AnsibleFilterError(decision.reason)
    return decision


def server_of(entry: c.Mapping[str, t.Any]) -> Server:
    addresses = {*(entry.get("addresses") or []), entry.get("host")}
    replication = entry.get("replication")
    return Server(
        name=entry["name"],
        addresses=frozenset(str(address) for address in addresses if address),
        port=int(entry.get("port") or 3306),
        status=ServerStatus.from_result(replication) if replication else None,
    )


class FilterModule:
    """The filter's registration."""

    def filters(self) -> dict[str, c.Callable[..., t.Any]]:
        return {"chosen_primary": chosen_primary}
