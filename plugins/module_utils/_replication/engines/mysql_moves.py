# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MySQL's words for moving the primary."""

from __future__ import annotations

from ..moves.words import MoveWords

MOVES = MoveWords(
    receive_no_more="STOP REPLICA IO_THREAD",
    forget_source="RESET REPLICA ALL",
    closed="SELECT @@global.super_read_only AS closed",
    clients=(
        "SELECT ID AS id FROM performance_schema.processlist WHERE ID <> CONNECTION_ID()"
        " AND COMMAND NOT IN ('Binlog Dump', 'Binlog Dump GTID', 'Daemon')"
        " AND USER NOT IN ('system user', 'event_scheduler', 'unauthenticated user', %s)"
    ),
    transactions=(
        "SELECT trx.trx_mysql_thread_id AS id, connection.USER AS user,"
        " TIMESTAMPDIFF(SECOND, trx.trx_started, NOW()) AS seconds"
        " FROM information_schema.INNODB_TRX AS trx JOIN performance_schema.processlist AS connection"
        " ON connection.ID = trx.trx_mysql_thread_id WHERE trx.trx_rows_modified > 0"
        " AND connection.USER <> 'system user'"
    ),
)

__all__ = ("MOVES",)
