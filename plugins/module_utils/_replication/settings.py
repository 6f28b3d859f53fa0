# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A server's variables: what it runs with, what its configuration says, and which of that needs no restart."""

from __future__ import annotations

import decimal
import re
import typing as t
from dataclasses import dataclass

from .errors import RefusedError
from .session import Row, Statement

if t.TYPE_CHECKING:
    import collections.abc as c

    from .engines.base import Dialect
    from .session import Session

Value = str | int | float | bool

CERTIFICATE_BEGIN, CERTIFICATE_END = "ssl_server_not_before", "ssl_server_not_after"
_POOL, _CHUNK, _INSTANCES = "innodb_buffer_pool_size", "innodb_buffer_pool_chunk_size", "innodb_buffer_pool_instances"
_SMALLEST_CHUNK = 8 << 20
"""Servers without chunks still round the pool up to their own unit."""
_IDENTITY = frozenset({"server_id"})
"""Can be set at run time and must not: replicas and sources have already told each other who they are."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ON, _OFF = frozenset({"1", "ON", "TRUE", "YES"}), frozenset({"0", "OFF", "FALSE", "NO"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a server runs with."""

    values: dict[str, str]
    static: frozenset[str]
    """Variables that only a start sets, as far as the server tells."""

    @property
    def certificate(self) -> tuple[str | None, str | None]:
        """From when until when the certificate is valid that the server shows to its clients."""
        return self.values.get(CERTIFICATE_BEGIN), self.values.get(CERTIFICATE_END)

    @property
    def takes_writes(self) -> bool:
        return self.values.get("read_only", "").upper() in _OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable that runs with another value than wanted."""

    name: str
    before: str
    after: Value

    @property
    def statement(self) -> Statement:
        return Statement(f"SET GLOBAL {self.name} = %s", (self.after,))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPlan:
    """What is set now, what is set while nothing replicates, and what waits for a restart."""

    at_once: tuple[Setting, ...]
    at_rest: tuple[Setting, ...]
    restart: tuple[Setting, ...]


def read_running(session: Session, names: c.Iterable[str]) -> Running:
    """Ask for everything in one statement."""
    wanted = tuple(sorted({*names, "read_only", _CHUNK, _INSTANCES, CERTIFICATE_BEGIN, CERTIFICATE_END}))
    marks = ", ".join(["%s"] * len(wanted))
    rows: list[Row] = session.query(Statement(session.dialect.read_settings.format(marks=marks), wanted * 2))
    return Running(
        values={str(row["name"]).lower(): str(row["value"]) for row in rows},
        static=session.dialect.static_settings
        | frozenset(str(row["name"]).lower() for row in rows if row["static"] == "YES"),
    )


def plan_settings(dialect: Dialect, running: Running, wanted: c.Mapping[str, Value]) -> SettingsPlan:
    """Decide which variables are set, and how."""
    unknown = sorted(name for name in wanted if not _NAME.fullmatch(name) or name not in running.values)
    if unknown:
        raise RefusedError(
            f"The server has no variable {', '.join(unknown)}. Nothing was changed. Check the spelling, and that this "
            "version of the engine has it"
        )
    differing = [
        Setting(name=name, before=running.values[name], after=_as_sent(running.values[name], value))
        for name, value in sorted(wanted.items())
        if not _same(running, name, value)
    ]
    static = running.static | _IDENTITY
    dynamic = [setting for setting in differing if setting.name not in static]
    return SettingsPlan(
        at_once=tuple(setting for setting in dynamic if setting.name not in dialect.settings_at_rest),
        at_rest=tuple(setting for setting in dynamic if setting.name in dialect.settings_at_rest),
        restart=tuple(setting for setting in differing if setting.name in static),
    )


def _same(running: Running, name: str, value: Value) -> bool:
    have, want = running.values[name], _as_sent(running.values[name], value)
    numbers = _number(have), _number(want)
    if numbers[0] is None or numbers[1] is None:
        return have.casefold() == str(want).casefold()
    rounded = _chunk(running) if name == _POOL else 0
    return numbers[0] == numbers[1] or 0 <= numbers[0] - numbers[1] < rounded


def _as_sent(have: str, value: Value) -> Value:
    """Write a value as this variable takes it: a switch as a word, a number as a number."""
    word = str(value).upper()
    if have.upper() in ("ON", "OFF"):
        return "ON" if word in _ON else "OFF" if word in _OFF else str(value)
    if isinstance(value, bool):
        return int(value) if _number(have) is not None else word
    if isinstance(value, str) and _number(have) is not None and (number := _number(value)) is not None:
        return int(number) if number == int(number) else float(number)
    return value


def _number(value: Value) -> decimal.Decimal | None:
    try:
        number = decimal.Decimal(str(value))
    except decimal.InvalidOperation:
        return None
    return number if number.is_finite() else None


def _chunk(running: Running) -> int:
    chunk, instances = (int(running.values.get(name) or 0) for name in (_CHUNK, _INSTANCES))
    return max(chunk * max(instances, 1), _SMALLEST_CHUNK)


__all__ = ("Running", "Setting", "SettingsPlan", "Value", "plan_settings", "read_running")
