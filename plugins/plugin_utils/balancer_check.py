# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with what a balancer is given, where each variable alone is as it should be."""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.webinfra.stack.plugins.module_utils._balancer.certificates import Certificate, complaints
from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Finding

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Options

VARIABLES = tuple(
    f"load_balancer_{name}"
    for name in (
        "provider",
        "algorithm",
        "cookie_name",
        "certificates",
        "port",
        "https_port",
        "https_redirect_enabled",
        "hsts_seconds",
        "metrics_port",
        "response_headers",
    )
)
"""Those that must fit each other."""

_PORTS = ("load_balancer_port", "load_balancer_https_port", "load_balancer_metrics_port")
_HASHES = ("source", "cookie")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[ !#&-\[\]-~]+")
"""Printable ASCII but for what HAProxy or nginx give a meaning of their own: " $ % and the backslash."""
_COOKIE = re.compile(r"[A-Za-z0-9_]+")
"""What both RFC 6265 and the name of a variable in nginx allow."""


def check_balancer(
    where: str, options: Options, given: t.Mapping[str, t.Any], backups: t.Sequence[str]
) -> list[Finding]:
    """Find what does not fit; nothing while a variable alone is wrong, which is told elsewhere."""
    names = [name for name in VARIABLES if name in options]
    validator = ArgumentSpecValidator({name: dict(options[name]) for name in names})
    outcome = validator.validate({name: given[name] for name in names if name in given})
    if outcome.error_messages:
        return []
    settings = outcome.validated_parameters
    return [
        Finding(where=where, what=what, remedy=remedy)
        for what, remedy in (
            *_of_https(settings),
            *_of_ports(settings),
            *_of_headers(settings),
            *_of_algorithm(settings, backups),
        )
    ]


def _of_https(settings: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    certificates = [Certificate.from_options(options) for options in settings["load_balancer_certificates"]]
    for complaint in complaints(certificates):
        yield f"load_balancer_certificates: {complaint}", "correct load_balancer_certificates"
    for variable in ("load_balancer_https_redirect_enabled", "load_balancer_hsts_seconds"):
        if settings[variable] and not certificates:
            what = f"{variable} is {settings[variable]}, and without a certificate there is no HTTPS"
            yield what, f"set load_balancer_certificates, or leave {variable} out"


def _of_ports(settings: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    for number, first in enumerate(_PORTS):
        for second in _PORTS[number + 1 :]:
            if settings[first] == settings[second]:
                yield f"{first} and {second} are both {settings[first]}", "give each a port of its own"


def _of_headers(settings: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    for name, value in settings["load_balancer_response_headers"].items():
        if not _HEADER_NAME.fullmatch(str(name)):
            what = f"load_balancer_response_headers: {str(name)!r} is not made of letters, digits and dashes"
            yield what, "correct the name of the header"
        elif not _HEADER_VALUE.fullmatch(str(value)):
            what = f'load_balancer_response_headers: the value of {name} is empty, or has ", $, %, \\ or no ASCII in it'
            yield what, "correct the value, or leave the header to the application"


def _of_algorithm(settings: t.Mapping[str, t.Any], backups: t.Sequence[str]) -> t.Iterator[tuple[str, str]]:
    algorithm, cookie = settings["load_balancer_algorithm"], settings["load_balancer_cookie_name"]
    if settings["load_balancer_provider"] == "nginx" and algorithm in _HASHES and backups:
        what = f"nginx cannot have backup servers ({', '.join(backups)}) with load_balancer_algorithm {algorithm}"
        yield what, "use load_balancer_provider: haproxy, another algorithm, or no backup server"
    if not _COOKIE.fullmatch(cookie):
        what = f"load_balancer_cookie_name {cookie!r} is not made of letters, digits and underscores"
        yield what, "correct load_balancer_cookie_name"


__all__ = ("VARIABLES", "check_balancer")
