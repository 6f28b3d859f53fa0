# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: router_probe
short_description: What HAProxy sends to a database server to learn whether it takes writes
version_added: 0.1.0
description:
  - Returns packets of the MySQL protocol for C(tcp-check send-binary). They log in as an account without password, ask
    one question, and say goodbye.
  - The answer contains C(IS-PRIMARY) where the server takes writes and C(IS-REPLICA) where it is read-only. Nothing but
    the server itself is asked, so no agent is needed on it.
options:
  _input:
    description: Engine of the servers, V(mariadb) or V(mysql). It decides by which plugin the account logs in.
    type: str
    required: true
  user:
    description:
      - Account without password, bound to the addresses of the hosts that check. It may read the table C(heartbeat)
        where there is a limit, and nothing else.
    type: str
    required: true
  schema:
    description: Schema of the table C(heartbeat), which the primary writes to every second.
    type: str
    default: ""
  max_lag:
    description:
      - Seconds that the heartbeat of a replica may be old. An older one, or none, is answered with C(IS-BEHIND) instead
        of C(IS-REPLICA). With V(0) the heartbeat is not asked for.
    type: int
    default: 0
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
# All three are sent before the answer is looked at: the server ends the connection after the last one, and only then
# does "expect ! string" know that a word will not come any more. Otherwise it waits for its timeout.
#   tcp-check send-binary {{ probe.login }}
#   tcp-check send-binary {{ probe.query }}
#   tcp-check send-binary {{ probe.quit }}
#   tcp-check expect ! string IS-REPLICA
#   tcp-check expect string IS-PRIMARY
probe: "{{ 'mariadb' | webinfra.stack.router_probe('router_check', 'webinfra', 30) }}"
"""

RETURN = r"""
_value:
  description: The packets as hexadecimal digits.
  type: dict
  contains:
    login:
      description: Answers the greeting of the server.
      type: str
      sample: "4400000101820800000000012d0000000000000000000000000000000000000000000000\
        726f757465725f636865636b00006d7973716c5f6e61746976655f70617373776f726400"
    replica_query:
      description: The question whether it is a replica that is not behind.
      type: str
    query:
      description: The question whether it takes writes.
      type: str
      sample: "3d0000000353454c454354204946284040676c6f62616c2e726561645f6f6e6c792c27\
        49532d5245504c494341272c2749532d5052494d41525927292041532073"
    quit:
      description: The goodbye.
      type: str
      sample: "0100000001"
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.plugin_utils.router_probe import RouterProbeError
from ansible_collections.webinfra.stack.plugins.plugin_utils.router_probe import router_probe as make_probe


def router_probe(engine: str, user: str, schema: str = "", max_lag: int = 0) -> dict[str, str]:
    try:
        return make_probe(engine, user, schema, max_lag).as_result()
    except RouterProbeError as exc:
        raise AnsibleFilterError(f"router_probe: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"router_probe": router_probe}
