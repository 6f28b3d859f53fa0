# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Semi-synchronous replication: what an acknowledged commit is worth, by name, and the settings behind the name."""

from __future__ import annotations

import dataclasses
import enum
import typing as t
from dataclasses import dataclass

from .session import Statement
from .status import SemiSync

if t.TYPE_CHECKING:
    from .engines.base import Dialect

NO_LOSS_TIMEOUT_SECONDS = 4_294_967.0
"""Seven weeks, the longest that MySQL takes: before that, somebody has noticed that nothing is written."""
AVAILABLE_TIMEOUT_SECONDS = 1.0
"""A thousand times what an acknowledgement takes in one data centre, and less than what clients wait for an answer."""


class Durability(enum.Enum):
    """What a client may rely on once its commit is acknowledged."""

    NO_LOSS = "no_loss"
    """A replica has it. While no replica acknowledges, writes wait."""
    AVAILABLE = "available"
    """A replica has it, or none has acknowledged in time. Writes go on."""

    @property
    def timeout_seconds(self) -> float:
        return NO_LOSS_TIMEOUT_SECONDS if self is Durability.NO_LOSS else AVAILABLE_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SemiSyncSettings:
    """What the two sides of a server shall be; it waits after the sync and acknowledges, always."""

    source_enabled: bool
    timeout_seconds: float | None
    """Nothing where nobody waits: a promotion sets it."""
    waits_without_replica: bool

    def differences(self, have: SemiSync) -> list[str]:
        """Say what has to change; empty when it is as wanted."""
        found = []
        if have.source_enabled != self.source_enabled:
            found.append("commits wait for a replica" if self.source_enabled else "commits do not wait here")
        if not have.wait_after_sync:
            found.append("a commit is visible only once a replica has it")
        if self.timeout_seconds is not None and abs(have.timeout_seconds - self.timeout_seconds) >= 1:
            found.append(f"a commit waits up to {self.timeout_seconds:g} s")
        if have.waits_without_replica != self.waits_without_replica:
            found.append(f"it {'waits' if self.waits_without_replica else 'does not wait'} while no replica is there")
        if not have.replica_enabled:
            found.append("it acknowledges what it receives")
        return found

    def applied_to(self, have: SemiSync) -> SemiSync:
        """Return what the server will say once these are set."""
        return dataclasses.replace(
            have,
            source_enabled=self.source_enabled,
            wait_after_sync=True,
            timeout_seconds=have.timeout_seconds if self.timeout_seconds is None else self.timeout_seconds,
            waits_without_replica=self.waits_without_replica,
            replica_enabled=True,
        )


JUST_LOADED = SemiSync(
    source_enabled=False,
    source_active=False,
    replica_enabled=False,
    replica_active=False,
    wait_after_sync=True,
    timeout_seconds=10,
    acknowledging_replicas=0,
    waits_without_replica=True,
    wait_for_replicas=1,
)
"""What the plugins say of themselves when nobody has set anything."""


def settings_of_primary(durability: Durability, have: SemiSync | None, *, replicas: int | None) -> SemiSyncSettings:
    """Let commits wait only once somebody acknowledges: a first run must not block itself.

    What already waits goes on waiting, whoever is gone: that is what no_loss means.
    """
    acknowledged = have is not None and (have.source_enabled or have.acknowledging_replicas > 0)
    enabled = acknowledged and replicas != 0
    return SemiSyncSettings(
        source_enabled=enabled,
        timeout_seconds=durability.timeout_seconds,
        waits_without_replica=enabled and durability is Durability.NO_LOSS,
    )


def settings_of_replica() -> SemiSyncSettings:
    """Never let a replica wait: with its own log it would wait for an acknowledgement of what it applies."""
    return SemiSyncSettings(source_enabled=False, timeout_seconds=None, waits_without_replica=False)


def statements(dialect: Dialect, have: SemiSync, want: SemiSyncSettings) -> tuple[Statement, ...]:
    """Set everything at run time; the source side is switched on last, when all else about it is right."""
    source, replica = (f"rpl_semi_sync_{word}" for word in dialect.semi_sync_words)
    switch = f"SET GLOBAL {source}_enabled = %s"
    # A commit that waits does not notice a shorter timeout: only switching off releases it.
    shorter = want.timeout_seconds is not None and want.timeout_seconds < have.timeout_seconds
    released = have.source_enabled and shorter
    settings: list[tuple[str, t.Any]] = [
        *([(switch, 0)] if released or not want.source_enabled else []),
        (f"SET GLOBAL {source}_wait_point = %s", "AFTER_SYNC"),
        *(
            []
            if want.timeout_seconds is None
            else [(f"SET GLOBAL {source}_timeout = %s", round(want.timeout_seconds * 1000))]
        ),
        (f"SET GLOBAL {source}_wait_no_{dialect.semi_sync_words[1]} = %s", int(want.waits_without_replica)),
        (f"SET GLOBAL {replica}_enabled = %s", 1),
        *([(switch, 1)] if want.source_enabled else []),
    ]
    return tuple(Statement(sql, (value,)) for sql, value in settings)


__all__ = (
    "JUST_LOADED",
    "Durability",
    "SemiSyncSettings",
    "settings_of_primary",
    "settings_of_replica",
    "statements",
)
