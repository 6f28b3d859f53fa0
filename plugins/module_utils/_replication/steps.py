# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What plans are made of, and what is known of a source."""

from __future__ import annotations

import dataclasses
import enum
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from .gtid import Gtids


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Whom a replica shall follow and how."""

    host: str
    port: int
    user: str
    password: str = dataclasses.field(repr=False)
    ca_file: str | None

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """What could be learnt from the source before following it."""

    identity: SourceIdentity | None
    reason: str | None = None
    """Why nothing could be learnt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIdentity:
    """The few things about a source that a replication account may read."""

    engine: str
    server_id: int
    server_uuid: str | None
    log_bin: bool
    gtid_enabled: bool
    executed: Gtids


class Action(enum.Enum):
    """The ways in which a server's place in the topology is changed."""

    CLOSE_WRITES = "close_writes"
    OPEN_WRITES = "open_writes"
    STOP_THREADS = "stop_threads"
    CLEAR_HISTORY = "clear_history"
    FOLLOW = "follow"
    START_THREADS = "start_threads"
    LOAD_SEMI_SYNC = "load_semi_sync"
    SET_SEMI_SYNC = "set_semi_sync"
    RECONNECT = "reconnect"
    KEEP_HEARTBEAT = "keep_heartbeat"


@dataclass(frozen=True, slots=True)
class Step:
    """One action and why it is needed."""

    action: Action
    reason: str

    def __str__(self) -> str:
        return f"{self.action.value}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, in order; none when the server is what it should be."""

    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no plan, and what to do instead."""

    reason: str


__all__ = ("Action", "Plan", "Refusal", "SourceIdentity", "SourceSettings", "SourceView", "Step")
