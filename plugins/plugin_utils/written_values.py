# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand in variables that are written into configurations, units and SQL as they are.

Each of those has words of its own for spaces, quotes, semicolons and ends of lines. What cannot be carried over
literally into all of them is refused before anything is changed.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.webinfra.stack.plugins.plugin_utils.inventory_check import Finding

_SHOWN = 60
_ANY_VALUE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    words: str
    """What the value is, in a sentence that says what it is not."""
    fits: t.Callable[[str], object]
    secret: bool = False


def _made_of(pattern: str) -> t.Callable[[str], object]:
    return re.compile(pattern).fullmatch


def _is_network(text: str) -> bool:
    if "%" in text:
        return False  # the name of an interface, which may be anything
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


HOST_NAME = Form(
    words="the name of a host: letters, digits, dots, dashes and underscores",
    fits=_made_of(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}"),
)
PATH = Form(
    words="a path of a URL: / and then letters, digits and . _ ~ / : @ = & ? + , -",
    fits=_made_of(r"/[A-Za-z0-9._~/:@=&?+,-]{0,1000}"),
)
URL = Form(
    words="an http or https URL without spaces, quotes and other characters that a URL escapes",
    fits=_made_of(r"https?://[A-Za-z0-9._~:/?#\[\]@!&()*+,;=%-]{1,2000}"),
)
NETWORK = Form(words="an IP address or a network", fits=_is_network)
LINE = Form(words="one line of text", fits=_made_of(r"[^\x00-\x1f\x7f\x85\u2028\u2029]*"))
LABEL = Form(words="one line of text without an apostrophe", fits=_made_of(r"[^'\x00-\x1f\x7f\x85\u2028\u2029]{1,100}"))
TEXT = Form(words="text", fits=_made_of(r"[^\x00]*"))
# systemd drops a variable whose value has any other control character (env_value_is_valid), and says nothing.
VALUE = Form(
    words="text without control characters but tabs and ends of lines", fits=_made_of(r"[^\x00-\x08\x0b-\x1f\x7f]*")
)
APPLICATION = Form(
    words="a name for a user, a unit and a schema: a small letter, then small letters, digits, _ and -, at most 32",
    fits=_made_of(r"[a-z][a-z0-9_-]{0,31}"),
)
VARIABLE = Form(
    words="the name of an environment variable: letters, digits and underscores, and no digit first",
    fits=_made_of(r"[A-Za-z_][A-Za-z0-9_]*"),
)
PACKAGE = Form(words="the name of a package", fits=_made_of(r"[a-z0-9][a-z0-9+.:=~_-]+"))
MAIL = Form(words="a mail address", fits=_made_of(r"[^\s{}\x00-\x1f\x7f]+@[A-Za-z0-9.-]+"))
PASSWORD = Form(
    words="made of letters, digits and ! & ( ) * + , . / : < = > ? @ [ ] ^ _ { | } ~ -, which files take as they are",
    fits=_made_of(r"[A-Za-z0-9!&()*+,./:<=>?@\[\]^_{|}~-]+"),
    secret=True,
)

FORMS: t.Mapping[str, Form] = {
    "certificate_acme_directory_url": URL,
    "certificate_acme_email": MAIL,
    "load_balancer_alive_path": PATH,
    "load_balancer_health_body": LINE,
    "load_balancer_health_path": PATH,
    "load_balancer_trusted_proxies": NETWORK,
    "load_balancer_unavailable_page": TEXT,
    "monitoring_external_url": URL,
    "monitoring_listen_address": NETWORK,
    "monitoring_mail.from": MAIL,
    "monitoring_mail.to": MAIL,
    "monitoring_mail.smarthost": LINE,
    "monitoring_webhooks.url": replace(URL, secret=True),
    "webinfra_app.build": TEXT,
    "webinfra_app.command": LINE,
    "webinfra_app.environment": VARIABLE,
    f"webinfra_app.environment.{_ANY_VALUE}": VALUE,
    "webinfra_app.health_path": PATH,
    "webinfra_app.migrate_command": TEXT,
    "webinfra_app.name": APPLICATION,
    "webinfra_app.packages": PACKAGE,
    "webinfra_extra_flows.name": LABEL,
    "webinfra_outgoing_services.name": LABEL,
    "webinfra_public_url": URL,
    **{
        f"webinfra_{account}_password": PASSWORD
        for account in ("app", "exporter", "mover", "operator", "replication", "seeding")
    },
}
"""By variable, and below it by key: of a value, of each one of a list, or of each key of a dictionary."""


def check_written(variable: str, value: t.Any) -> Finding | None:
    """Find the first thing in a variable's value that could not be carried over literally."""
    for path, form in FORMS.items():
        name, *keys = path.split(".")
        if name == variable:
            for text in _pieces(value, keys):
                if text and not form.fits(text):
                    return Finding(where="", what=_complaint(path, form, text), remedy=f"correct {variable}")
    return None


def check_host_names(names: t.Iterable[str]) -> list[Finding]:
    """Find hosts whose name cannot stand in a configuration."""
    remedy = "give the host another name in the inventory, and its address in ansible_host"
    return [
        Finding(where="inventory", what=_complaint("host", HOST_NAME, name), remedy=remedy)
        for name in names
        if not HOST_NAME.fits(name)
    ]


def _pieces(value: t.Any, keys: t.Sequence[str]) -> t.Iterator[str]:
    """Yield what stands below the keys; another shape than it should have is told with the types of all variables."""
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _pieces(each, keys)
    elif not keys:
        yield from (str(key) for key in (value if isinstance(value, dict) else [value]) if key is not None)
    elif isinstance(value, dict):
        found = list(value.values()) if keys[0] == _ANY_VALUE else [value.get(keys[0])]
        for each in found:
            yield from _pieces(each, keys[1:])


def _complaint(path: str, form: Form, text: str) -> str:
    shown = "its value" if form.secret else repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
    return f"{path.removesuffix('.' + _ANY_VALUE)}: {shown} is not {form.words}"


__all__ = ("FORMS", "Form", "check_host_names", "check_written")
