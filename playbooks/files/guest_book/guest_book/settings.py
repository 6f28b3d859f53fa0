# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment says."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

MAXIMUM_PORT = 65535


class SettingsError(Exception):
    """The environment lacks something or says something that cannot be used."""


@dataclass(frozen=True)
class Address:
    host: str
    port: int


@dataclass(frozen=True)
class Settings:
    server: str
    """Name of this web server, shown to readers."""
    release: str
    database: str
    user: str
    password: str = field(repr=False)
    write_endpoint: Address
    """Leads to the server that takes writes, whichever that is."""
    read_endpoint: Address
    """Leads to a replica, or to the primary while there is none."""
    ca_file: str


def settings_from(environment: t.Mapping[str, str]) -> Settings:
    return Settings(
        server=_required(environment, "APP_SERVER"),
        release=_required(environment, "APP_RELEASE"),
        database=_required(environment, "DATABASE_NAME"),
        user=_required(environment, "DATABASE_USER"),
        password=_required(environment, "DATABASE_PASSWORD"),
        write_endpoint=_address(environment, "DATABASE_WRITE_ENDPOINT", "127.0.0.1:3306"),
        read_endpoint=_address(environment, "DATABASE_READ_ENDPOINT", "127.0.0.1:3307"),
        ca_file=_required(environment, "DATABASE_CA_FILE"),
    )


def _required(environment: t.Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"the environment variable {name} is missing or empty; set it in the unit's environment")
    return value


def _address(environment: t.Mapping[str, str], name: str, default: str) -> Address:
    text = environment.get(name, default)
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= MAXIMUM_PORT:
        raise SettingsError(f"the environment variable {name} must be host:port, for example {default}; it is {text!r}")
    return Address(host=host, port=int(port))


__all__ = ("Address", "Settings", "SettingsError", "settings_from")
