# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a server may be seeded with what a donor offers."""

from __future__ import annotations

import enum
import re
import typing as t
from dataclasses import dataclass

from ..gtid import MariaDBGtids
from ..status import Role, ServerStatus
from ..steps import Refusal

if t.TYPE_CHECKING:
    import collections.abc as c

_HEADROOM = 1.1
_LOGS_BYTES = 512 * 1024 * 1024
"""What a server makes for itself when it starts: redo log, temporary tablespace, the first binary logs."""


class ExistingData(enum.Enum):
    """What becomes of data that the target holds."""

    KEEP_ASIDE = "keep_aside"
    REMOVE = "remove"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a donor says of itself before anything is sent."""

    engine: str
    version: str
    server_id: int
    data_bytes: int


def why_not(status: ServerStatus, offer: Offer, existing: ExistingData, *, free_bytes: int) -> Refusal | None:
    """Say why this server must not be seeded with this; nothing has been changed then."""
    if status.role is Role.PRIMARY and not status.pristine:
        return Refusal("It takes writes: it is a primary, and a primary is never seeded")
    if status.connected_replicas:
        return Refusal(f"It feeds {', '.join(status.connected_replicas)}: have them follow somebody else first")
    if existing is ExistingData.REFUSE and not status.pristine:
        return Refusal("It holds data, and existing_data=refuse")
    if (offer.engine, _series(offer.version)) != (status.engine.value, _series(status.version)):
        return Refusal(
            f"The donor runs {offer.engine} {offer.version} and this server {status.engine.value} {status.version}: "
            "files can only be taken over within one series. Upgrade the older one first"
        )
    if offer.server_id == status.server_id:
        return Refusal(f"The donor has the same server_id {offer.server_id} as this server: give each its own")
    return why_no_room(offer.data_bytes, free_bytes)


def why_no_room(data_bytes: int, free_bytes: int) -> Refusal | None:
    """Say how much space is missing: the old data stays until the new is complete."""
    needed = int(data_bytes * _HEADROOM) + _LOGS_BYTES
    if free_bytes >= needed:
        return None
    return Refusal(
        f"The donor's data takes {_gigabytes(data_bytes)}, so {_gigabytes(needed)} have to be free here beside what "
        f"there is; {_gigabytes(free_bytes)} are. Nothing was changed. Make room, or give the data directory a larger "
        "file system"
    )


def position_of(recorded: c.Iterable[str]) -> str:
    """Join what a backup has recorded of the donor: as a replica it may have logged nothing of its own yet.

    A position names the last transaction of each domain, whichever server it came from.
    """
    last: dict[int, tuple[int, int]] = {}
    for text in recorded:
        for (domain, server), number in MariaDBGtids.parse(text).last:
            last[domain] = max(last.get(domain, (0, 0)), (number, server))
    return ",".join(f"{domain}-{server}-{number}" for domain, (number, server) in sorted(last.items()))


def history_of(executed: str, position: str) -> str:
    """Join what the donor had when the copy was begun with the newest that the copy has."""
    return MariaDBGtids.parse(executed).union(MariaDBGtids.parse(position)).as_history


def gtids_in(recorded: str) -> list[str]:
    """Find the GTID positions in the files that a backup has written about its binary log and its source."""
    return re.findall(r"(?<![\w.-])\d+-\d+-\d+(?:,\d+-\d+-\d+)*(?![\w.-])", recorded)


def _series(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _gigabytes(number: int) -> str:
    return f"{number / 1024**3:.2f} GiB"


__all__ = ("ExistingData", "Offer", "gtids_in", "history_of", "position_of", "why_no_room", "why_not")
