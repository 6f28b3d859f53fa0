# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MariaDB's words for moving the primary."""

from __future__ import annotations

from ..moves.words import MoveWords

MOVES = MoveWords(
    # It waits for a source that is dead without having said so: slave_net_timeout has to be short.
    receive_no_more="STOP SLAVE IO_THREAD",
    forget_source="RESET SLAVE ALL",
    closed="SELECT @@global.read_only AS closed",
    clients=(
        "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"
        " AND COMMAND NOT IN ('Binlog Dump', 'Daemon', 'Slave_IO', 'Slave_SQL', 'Slave_worker')"
        " AND USER NOT IN ('system user', 'event_scheduler', 'unauthenticated user', %s)"
    ),
    transactions=(
        "SELECT trx.trx_mysql_thread_id AS id, connection.USER AS user,"
        " TIMESTAMPDIFF(SECOND, trx.trx_started, NOW()) AS seconds"
        " FROM information_schema.INNODB_TRX AS trx JOIN information_schema.PROCESSLIST AS connection"
        " ON connection.ID = trx.trx_mysql_thread_id WHERE trx.trx_rows_modified > 0"
        " AND connection.USER <> 'system user'"
    ),
)

__all__ = ("MOVES",)
