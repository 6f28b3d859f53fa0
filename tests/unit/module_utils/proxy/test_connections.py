# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._proxy.connections import connections_to, remote_endpoints

# From /proc/net/tcp and /proc/net/tcp6 of a balancer on a little-endian machine.
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
LISTENING = (
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0"
)
ESTABLISHED = (
    "   1: 0B50D50A:9C46 1550D50A:1F40 01 00000000:00000000 00:00000000 00000000    33        0 2 1 0 20 4 30 10 -1"
)
CLOSING = "   2: 0B50D50A:9C48 1550D50A:1F40 06 00000000:00000000 03:00000AE2 00000000     0        0 0 3 0"
MAPPED = (
    "   0: 0000000000000000FFFF00000B50D50A:9C46 0000000000000000FFFF00001650D50A:1F40 01 00000000:00000000 00:00000000"
    " 00000000 33 0 2 1 0 20 4 30 10 -1"
)
IPV6 = (
    "   0: 000000FD000000000000000001000000:9C46 000000FD000000000000000002000000:1F40 01 00000000:00000000 00:00000000"
    " 00000000 33 0 2 1 0 20 4 30 10 -1"
)


@pytest.mark.skipif(sys.byteorder != "little", reason="the rows come from a little-endian machine")
def test_established_connections_are_named_by_their_other_end():
    rows = [HEADER, LISTENING, ESTABLISHED, CLOSING, MAPPED, IPV6]
    assert list(remote_endpoints(rows)) == ["10.213.80.21:8000", "10.213.80.22:8000", "[fd00::2]:8000"]


def test_the_kernel_of_this_machine_is_understood():
    assert all(":" in endpoint for endpoint in connections_to())
