# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: reachability
short_description: Check which connections work from this host and which do not
version_added: 0.1.0
description:
  - Opens a TCP connection to each target, all at once, and closes it without sending anything.
  - What must be open has to accept. What must be closed has to be filtered. A target that refuses is not filtered,
    so nothing would stop the connection if a program listened there.
  - A target that is not as expected is tried once more before it counts, and one that must be open and refuses for
    O(start_timeout).
  - Fails with the differences. Changes nothing.
extends_documentation_fragment: [webinfra.stack.attributes]
attributes:
  check_mode:
    support: full
    details:
      - Connects in check mode too, because it changes nothing.
  diff_mode:
    support: none
  platform:
    platforms: posix
    support: full
options:
  targets:
    description: The connections to try. P(webinfra.stack.reachability_targets#filter) makes them from the flow matrix.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the target for people.
        type: str
        required: true
      host:
        description: IP address of the target.
        type: str
        required: true
      port:
        description: Port of the target.
        type: int
        required: true
      protocol:
        description: Protocol of the port. Only TCP tells an open port from a filtered one.
        type: str
        choices: [tcp]
        default: tcp
      expected:
        description: Whether the connection must work.
        type: str
        choices: [open, closed]
        required: true
      flow:
        description: Why; shown when it is not as expected.
        type: str
        default: ""
  timeout:
    description:
      - Seconds without an answer after which a port counts as filtered. All targets are tried at once, so this
        is about as long as the module takes.
    type: float
    default: 1.0
  start_timeout:
    description:
      - Seconds for which a target that must be open may refuse. A service that was just started may not listen yet.
        Nothing is waited for where all is as expected.
    type: float
    default: 5.0
author: [The webinfra.stack maintainers (@webinfra)]
"""

EXAMPLES = r"""
- name: Check what this host reaches
  webinfra.stack.reachability:
    targets:
      - {name: db1, host: 10.20.0.31, port: 3306, expected: open, flow: sql}
      - {name: db1, host: 10.20.0.31, port: 9100, expected: closed, flow: metrics}
"""

RETURN = r"""
open:
  description: Number of targets that accepted.
  returned: always
  type: int
  sample: 1
filtered:
  description: Number of targets that did not answer, or whose network said that they cannot be reached.
  returned: always
  type: int
  sample: 1
refused:
  description: Number of targets that refused.
  returned: always
  type: int
  sample: 0
differences:
  description: Targets that are not as expected.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: db1, host: 10.20.0.31, port: 9100, protocol: tcp, expected: closed, seen: open, flow: metrics}
"""

import errno
import ipaddress
import selectors
import socket
import time
import typing as t
from collections import Counter

from ansible.module_utils.basic import AnsibleModule

ARGUMENTS: dict[str, t.Any] = {
    "targets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "protocol": {"type": "str", "choices": ["tcp"], "default": "tcp"},
            "expected": {"type": "str", "choices": ["open", "closed"], "required": True},
            "flow": {"type": "str", "default": ""},
        },
    },
    "timeout": {"type": "float", "default": 1.0},
    "start_timeout": {"type": "float", "default": 5.0},
}

OPEN = "open"
REFUSED = "refused"
FILTERED = "filtered"
EXPLANATIONS = {
    ("open", REFUSED): "the host answers, but nothing listens on the port",
    ("open", FILTERED): "no answer: the host is down, or a firewall drops it",
    ("closed", OPEN): "the firewall lets it through",
    ("closed", REFUSED): "the firewall lets it through: nothing listens, but nothing would stop it",
}
AT_ONCE = 256
"""Connections that are open at the same time: a process may have 1024 files."""

_PAUSE_SECONDS = 0.2
_NETWORK_SAYS_NO = frozenset(
    {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EACCES, errno.EPERM}
)

Endpoint = tuple[str, int]


class ProbeError(Exception):
    """A target that cannot be tried at all."""


def probe(endpoints: t.Iterable[Endpoint], timeout: float) -> dict[Endpoint, str]:
    """Tell what becomes of a connection to each endpoint."""
    waiting = list(dict.fromkeys(endpoints))
    seen: dict[Endpoint, str] = {}
    for start in range(0, len(waiting), AT_ONCE):
        seen.update(_probe_at_once(waiting[start : start + AT_ONCE], timeout))
    return seen


def difference(target: t.Mapping[str, t.Any], seen: str) -> dict[str, t.Any] | None:
    """Return what is wrong with a target, or None."""
    if (target["expected"], seen) not in EXPLANATIONS:
        return None
    return {**target, "seen": seen}


def table(differences: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Return the differences as lines for people."""
    rows = [("target", "address", "port", "must be", "is", "flow", "")]
    rows += [
        (
            item["name"],
            item["host"],
            f"{item['port']}/{item['protocol']}",
            item["expected"],
            item["seen"],
            item["flow"],
            EXPLANATIONS[item["expected"], item["seen"]],
        )
        for item in differences
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _probe_at_once(endpoints: t.Sequence[Endpoint], timeout: float) -> dict[Endpoint, str]:
    deadline = time.monotonic() + timeout
    seen: dict[Endpoint, str] = {}
    with selectors.DefaultSelector() as selector:
        try:
            for endpoint in endpoints:
                connection = _start(endpoint)
                selector.register(connection, selectors.EVENT_WRITE, endpoint)
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _events in selector.select(left):
                    connection = t.cast("socket.socket", key.fileobj)
                    seen[key.data] = _outcome(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), key.data)
                    selector.unregister(connection)
                    connection.close()
        finally:
            for key in selector.get_map().values():
                t.cast("socket.socket", key.fileobj).close()
    return {endpoint: seen.get(endpoint, FILTERED) for endpoint in endpoints}


def _start(endpoint: Endpoint) -> socket.socket:
    host, _port = endpoint
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    connection.connect_ex(endpoint)
    return connection


def _outcome(error: int, endpoint: Endpoint) -> str:
    if error == 0:
        return OPEN
    if error == errno.ECONNREFUSED:
        return REFUSED
    if error in _NETWORK_SAYS_NO:
        return FILTERED
    raise ProbeError(f"{endpoint[0]} port {endpoint[1]} cannot be tried: {errno.errorcode.get(error, error)}")


def check(
    targets: t.Sequence[t.Mapping[str, t.Any]], timeout: float, start_timeout: float = 0
) -> tuple[dict[str, int], list[dict[str, t.Any]]]:
    """Return how many targets were seen in which state, and those that are not as expected."""
    deadline = time.monotonic() + start_timeout
    seen = probe(((target["host"], target["port"]) for target in targets), timeout)
    while (starting := _starting(targets, seen)) and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        seen.update(probe(starting, timeout))
    doubtful = [target for target in targets if difference(target, seen[target["host"], target["port"]])]
    if doubtful:
        seen.update(probe(((target["host"], target["port"]) for target in doubtful), timeout))
    states = [seen[target["host"], target["port"]] for target in targets]
    found = [difference(target, state) for target, state in zip(targets, states, strict=True)]
    counts = Counter(states)
    return {state: counts[state] for state in (OPEN, FILTERED, REFUSED)}, [item for item in found if item]


def _starting(targets: t.Sequence[t.Mapping[str, t.Any]], seen: t.Mapping[Endpoint, str]) -> list[Endpoint]:
    """Return what may be about to listen."""
    wanted = [(target["host"], target["port"]) for target in targets if target["expected"] == OPEN]
    return [endpoint for endpoint in wanted if seen[endpoint] == REFUSED]


def main() -> t.NoReturn:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        for target in module.params["targets"]:
            ipaddress.ip_address(target["host"])
        counts, differences = check(module.params["targets"], module.params["timeout"], module.params["start_timeout"])
    except ValueError as exc:
        module.fail_json(msg=f"targets: {exc}; give the IP address of the host")
    except ProbeError as exc:
        module.fail_json(msg=str(exc))
    result: dict[str, t.Any] = {"changed": False, "differences": differences, **counts}
    if differences:
        message = f"{len(differences)} of {len(module.params['targets'])} connections are not as declared:"
        module.fail_json(msg=f"{message}\n{table(differences)}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
