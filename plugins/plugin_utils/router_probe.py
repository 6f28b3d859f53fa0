# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a health check sends to a database server to learn whether it takes writes, and how old a replica is.

The packets are those of the MySQL client/server protocol: each is a payload after its length in three bytes and its
sequence number in one.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

QUESTION = "SELECT IF(@@global.read_only,'IS-REPLICA','IS-PRIMARY') AS s"
QUESTION_WITH_AGE = (
    "SELECT IF(@@global.read_only,IF((SELECT TIMESTAMPDIFF(SECOND,MAX(written_at),UTC_TIMESTAMP()) FROM {table})"
    " BETWEEN -{max_lag} AND {max_lag},'IS-REPLICA','IS-BEHIND'),'IS-PRIMARY') AS s"
)
"""A replica without a heartbeat is behind: null is between nothing. So is one whose clock is as far behind as the
limit: its rows would look young however old they are."""

COM_QUIT = 0x01
COM_QUERY = 0x03

CLIENT_LONG_PASSWORD = 1 << 0
CLIENT_PROTOCOL_41 = 1 << 9
CLIENT_SECURE_CONNECTION = 1 << 15
CLIENT_PLUGIN_AUTH = 1 << 19

MAXIMUM_PACKET = 1 << 24
UTF8MB4_GENERAL = 45
"""A collation that both engines know; they refuse the login of a client with one that they do not."""
RESERVED = bytes(23)

LONGEST_USER = 32
"""Bytes; the limit of MySQL, the smaller of the two."""


class RouterProbeError(Exception):
    """No probe can be made of what was given."""


class Engine(enum.Enum):
    MARIADB = "mariadb"
    MYSQL = "mysql"

    @property
    def login_plugin(self) -> str:
        """The plugin with which the engine lets in an account that has no password."""
        return {Engine.MARIADB: "mysql_native_password", Engine.MYSQL: "caching_sha2_password"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterProbe:
    login: bytes
    """Answers the server's greeting."""
    query: bytes
    replica_query: bytes
    """Asks for the age of the heartbeat as well, where there is a limit."""
    quit: bytes

    def as_result(self) -> dict[str, str]:
        return {
            "login": self.login.hex(),
            "query": self.query.hex(),
            "replica_query": self.replica_query.hex(),
            "quit": self.quit.hex(),
        }


def router_probe(engine: str, user: str, schema: str = "", max_lag: int = 0) -> RouterProbe:
    """Return the packets of checks that log in as an account without password."""
    return RouterProbe(
        login=_packet(_handshake_response(_engine(engine), _user(user)), sequence=1),
        query=_question(QUESTION),
        replica_query=_question(_with_age(schema, max_lag) if max_lag else QUESTION),
        quit=_packet(bytes([COM_QUIT])),
    )


def _with_age(schema: str, max_lag: int) -> str:
    if not schema or max_lag < 0:
        raise RouterProbeError(f"a limit of {max_lag} s needs the schema of the heartbeat; 0 asks for no heartbeat")
    table = "`" + schema.replace("`", "``") + "`.heartbeat"
    return QUESTION_WITH_AGE.format(table=table, max_lag=max_lag)


def _question(text: str) -> bytes:
    return _packet(bytes([COM_QUERY]) + text.encode())


def _handshake_response(engine: Engine, user: bytes) -> bytes:
    """Compose a HandshakeResponse41 with an empty answer to the server's challenge: no password."""
    capabilities = CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH
    return b"".join(
        (
            capabilities.to_bytes(4, "little"),
            MAXIMUM_PACKET.to_bytes(4, "little"),
            bytes([UTF8MB4_GENERAL]),
            RESERVED,
            user + b"\0",
            bytes([0]),  # the length of the answer
            engine.login_plugin.encode() + b"\0",
        )
    )


def _packet(payload: bytes, *, sequence: int = 0) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


def _engine(name: str) -> Engine:
    try:
        return Engine(name)
    except ValueError:
        known = " or ".join(engine.value for engine in Engine)
        raise RouterProbeError(f"there is no database engine {name!r}; use {known}") from None


def _user(name: t.Any) -> bytes:
    encoded = name.encode() if isinstance(name, str) else b""
    if not encoded or b"\0" in encoded or len(encoded) > LONGEST_USER:
        raise RouterProbeError(f"{name!r} cannot be the account of a check; use a name of 1 to {LONGEST_USER} bytes")
    return encoded


__all__ = ("Engine", "RouterProbe", "RouterProbeError", "router_probe")
