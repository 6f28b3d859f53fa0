# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that write numbered rows wherever writes are taken: writer.py PASSWORD_FILE ADDRESS …

Each acknowledged number is printed with the moment. A process of its own: threads of the one that moves the primary
would take its time.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time
import typing as t
from pathlib import Path

import pymysql

_CLIENTS = 4
_NUMBERS = itertools.count(1)
_PRINTING = threading.Lock()


def write(addresses: list[str], password: bytes) -> None:
    while True:
        for address in addresses:
            with contextlib.suppress(pymysql.MySQLError, OSError):
                _write_to(address, password)
        time.sleep(0.005)


def _write_to(address: str, password: bytes) -> None:
    # A client that the host of its server has left alone gives up at some time.
    limits: dict[str, t.Any] = {"connect_timeout": 1, "read_timeout": 5, "write_timeout": 5}
    login: dict[str, t.Any] = {"user": "app", "password": password, "ssl": {"check_hostname": False}}
    with contextlib.closing(pymysql.connect(host=address, autocommit=True, **login, **limits)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT @@global.read_only")
        if cursor.fetchone() != (0,):
            return
        while True:
            number = next(_NUMBERS)
            cursor.execute("INSERT INTO app_db.t (i) VALUES (%s)", (number,))
            with _PRINTING:
                print(number, time.monotonic(), flush=True)


if __name__ == "__main__":
    secret = Path(sys.argv[1]).read_bytes()
    for _client in range(_CLIENTS):
        threading.Thread(target=write, args=(sys.argv[2:], secret)).start()
