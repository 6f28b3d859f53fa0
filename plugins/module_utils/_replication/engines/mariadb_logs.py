# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MariaDB's words for reading binary logs."""

from __future__ import annotations

from ..rejoining.words import LogWords

LOGS = LogWords(
    program="mariadb-binlog",
    package="mariadb-client",
    history_event="Gtid_list",
    gtid=r"GTID (\d+-\d+-\d+)",
    # A server that is further on refuses an old number: there the transaction gets a new one.
    identity=r"^/\*M?!\d+ SET @@session\.(gtid_domain_id|server_id|gtid_seq_no)=.*$",
)

__all__ = ("LOGS",)
