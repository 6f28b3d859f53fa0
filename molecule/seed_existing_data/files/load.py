# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a few hundred rows a second to the primary until told to stop; record each write's moment, time and failure."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import sys
import threading
import time

import pymysql

WRITERS = 4
WRITES_PER_SECOND = 40  # for each of them, and of two rows
STOP = threading.Event()


def connect(host: str) -> pymysql.connections.Connection:
    context = ssl.create_default_context(cafile=os.environ["DATABASE_CA_FILE"])
    return pymysql.connect(
        host=host,
        user=os.environ["DATABASE_USER"],
        password=os.environ["DATABASE_PASSWORD"],
        database=os.environ["DATABASE_NAME"],
        ssl=context,
        autocommit=True,
        connect_timeout=5,
        read_timeout=30,
    )


def write(host: str, writer: int, records: list[tuple[float, float, str | None]]) -> None:
    with contextlib.closing(connect(host)) as connection, connection.cursor() as cursor:
        due = time.monotonic()
        while not STOP.is_set():
            begin = time.monotonic()
            failure = None
            try:
                cursor.execute(
                    "INSERT INTO written (writer, payload, at) VALUES (%s, %s, UTC_TIMESTAMP(6))", (writer, "x" * 150)
                )
                cursor.execute("UPDATE counters SET number = number + 1 WHERE writer = %s", (writer,))
            except pymysql.MySQLError as exc:
                failure = str(exc)
                with contextlib.suppress(pymysql.MySQLError):
                    connection.ping(reconnect=True)
            records.append((time.time(), time.monotonic() - begin, failure))
            # A write that took long is not made up for: the load is what it is.
            due = max(due + 1 / WRITES_PER_SECOND, time.monotonic() - 1)
            STOP.wait(max(due - time.monotonic(), 0))


def main() -> None:
    host, path = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: STOP.set())
    records: list[tuple[float, float, str | None]] = []
    writers = [threading.Thread(target=write, args=(host, number, records)) for number in range(WRITERS)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(records, stream)


if __name__ == "__main__":
    main()
