# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import time

from ansible_collections.webinfra.stack.plugins.module_utils._sql.connection import Login
from ansible_collections.webinfra.stack.plugins.module_utils._sql.survey import Survey, Target


def silent_target(name: str, port: int) -> Target:
    login = Login(host="127.0.0.1", port=port, user="x", password="", connect_timeout=1, statement_timeout=1)
    return Target(name=name, addresses=frozenset({"127.0.0.1"}), login=login)


def test_the_slowest_server_decides_how_long_a_survey_takes() -> None:
    begin = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with Survey([silent_target(f"db{number}", port) for number in range(5)]) as survey:
            topology = survey.read()
    assert len(topology.unreachable) == 5
    assert time.monotonic() - begin < 3


def test_an_unreachable_server_comes_with_its_reason_and_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Survey([silent_target("db1", port)]) as survey:
        (server,) = survey.read().servers
    assert (server.name, server.status) == ("db1", None)
    assert "cannot be reached" in str(server.problem)
    assert "firewall" in str(server.remedy)
