# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: balance_check
short_description: Check that a load balancer spreads requests by its weights
version_added: 0.1.0
description:
  - Sends requests to a web address one after the other, each on a connection of its own, and counts which server
    answered.
  - Fails when a request is not answered with 200, or when the counts are not those of weighted round robin, unless
    O(weighted=false).
  - Only reads, on the web as on the host; run it wherever a client could be.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
    support: full
options:
  url:
    description: Web address to ask. Redirections are not followed, and proxies of the environment are not used.
    type: str
    required: true
  servers:
    description: The servers behind the balancer. One that answers and is not among them is an error.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the server says of itself in O(server_header).
        type: str
        required: true
      weight:
        description: Its share relative to the others. With V(0) it must not answer at all.
        type: int
        default: 1
      backup:
        description: Whether it must not answer as long as any other server has a weight above 0.
        type: bool
        default: false
  requests:
    description: How many requests to send. With fewer, a wrong weight is harder to tell from a right one.
    type: int
    default: 40
  tolerance:
    description:
      - By how many requests a server may be off its share. Round robin is not random, so few are enough.
      - Allow more while others use the same balancer, because their requests take turns, too.
    type: int
    default: 2
  weighted:
    description:
      - Whether the counts must follow the weights. With V(false) each request must be answered by one of the servers
        that may, by whichever; for balancers that keep a client with its server.
    type: bool
    default: true
  server_header:
    description: Header in which a server names itself.
    type: str
    default: X-Served-By
  headers:
    description: Headers to send, for example C(Host) where the balancer chooses by it.
    type: dict
    default: {}
  timeout:
    description: Seconds after which a request counts as not answered.
    type: float
    default: 5
  validate_certs:
    description: Whether the certificate must be valid. With V(false) anybody could answer in the servers' place.
    type: bool
    default: true
  ca_file:
    description: File with the authorities to trust, instead of those of the system.
    type: path
  address:
    description: IP address at which the host of O(url) is asked, whatever its name resolves to.
    type: str
notes:
  - Stops asking after five failures, so that a dead balancer does not take O(requests) times O(timeout).
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Ask through the load balancer and count who answers
  webinfra.stack.balance_check:
    url: http://127.0.0.1:8080/healthz
    servers:
      - {name: web1, weight: 3}
      - {name: web2, weight: 1}
      - {name: web3, backup: true}
"""

RETURN = r"""
shares:
  description: What each server should have answered, and what it did.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: web1, weight: 3, backup: false, expected: 30.0, observed: 30}
    - {name: web2, weight: 1, backup: false, expected: 10.0, observed: 10}
failures:
  description: Requests that were not answered as they should, counted from 1.
  returned: always
  type: list
  elements: dict
  sample:
    - {request: 3, reason: answered 503 Service Unavailable}
latency:
  description: Milliseconds from connecting to the end of the answer. Null when nothing was answered.
  returned: always
  type: dict
  sample: {median: 4.8, maximum: 17.2}
observed_headers:
  description: Values of the headers that begin with C(X-), at most ten each.
  returned: always
  type: dict
  sample: {x-release: [61bf0e2d94c7], x-served-by: [web1, web2]}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.shares import (
    BalancedServer,
    NoServerError,
    compare_shares,
    expected_shares,
)
from ansible_collections.webinfra.stack.plugins.module_utils._balancer.tally import Tally
from ansible_collections.webinfra.stack.plugins.module_utils._module.asking import (
    AskingFailedError,
    NoWebAddressError,
    WebClient,
)

ARGUMENTS: dict[str, t.Any] = {
    "url": {"type": "str", "required": True},
    "servers": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "weight": {"type": "int", "default": 1},
            "backup": {"type": "bool", "default": False},
        },
    },
    "requests": {"type": "int", "default": 40},
    "tolerance": {"type": "int", "default": 2},
    "weighted": {"type": "bool", "default": True},
    "server_header": {"type": "str", "default": "X-Served-By"},
    "headers": {"type": "dict", "default": {}},
    "timeout": {"type": "float", "default": 5},
    "validate_certs": {"type": "bool", "default": True},
    "ca_file": {"type": "path"},
    "address": {"type": "str"},
}
CLIENT_OPTIONS = ("url", "headers", "timeout", "validate_certs", "ca_file", "address")
MAXIMUM_FAILURES = 5


def count_answers(client: WebClient, *, requests: int, server_header: str) -> Tally:
    """Ask until all requests are sent or enough of them have failed."""
    tally = Tally()
    for number in range(1, requests + 1):
        try:
            answer = client.ask()
        except AskingFailedError as exc:
            tally = tally.with_failure(number, str(exc))
        else:
            tally = tally.with_answer(number, answer.headers, answer.milliseconds, server_header=server_header)
        if len(tally.failures) == MAXIMUM_FAILURES:
            break
    return tally


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    servers = [BalancedServer(**options) for options in params["servers"]]
    if params["requests"] < 1:
        module.fail_json(msg=f"requests: {params['requests']} requests prove nothing; send at least 1")
    try:
        expected_shares(servers, params["requests"])
        client = WebClient(**{name: params[name] for name in CLIENT_OPTIONS})
    except (NoServerError, NoWebAddressError) as exc:
        module.fail_json(msg=f"Nothing was asked: {exc}")
    tally = count_answers(client, requests=params["requests"], server_header=params["server_header"])
    shares = compare_shares(servers, tally.servers)
    tolerance = params["tolerance"] if params["weighted"] else None
    complaints = tally.complaints(shares, url=params["url"], tolerance=tolerance)
    result = {"shares": [share.as_result() for share in shares], **tally.as_result()}
    if complaints:
        module.fail_json(msg=complaints, changed=False, **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
