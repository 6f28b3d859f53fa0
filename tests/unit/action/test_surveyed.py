# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.action import configured_service, ufw_rules
from ansible_collections.webinfra.stack.plugins.module_utils._firewall.observation import Observation
from ansible_collections.webinfra.stack.plugins.module_utils._service.service import FileSight, Service, Sight, digest
from ansible_collections.webinfra.stack.plugins.module_utils._service.unit import UnitState

KEY = "a key"
FILE = {
    "path": "/etc/thing.cfg",
    "content": "a",
    "secret_content": None,
    "encoded_content": None,
    "owner": "root",
    "group": "root",
    "mode": "0644",
    "validate": None,
    "on_change": "reload",
}
SERVICE = {
    "name": "thing.service",
    "enabled": True,
    "files": [FILE],
    "links": [],
    "watched_files": [],
    "restart_allowed": True,
    "absent_files": [],
    "stopped_units": [],
}
SIGHT = Sight(
    files={"/etc/thing.cfg": FileSight(digest=digest(b"a", KEY.encode()), owner="root", group="root", mode=0o644)},
    states={"thing.service": UnitState(known=True, active=True, enabled=True, stale_unit_file=False)},
    loaded=Service.from_options(SERVICE).stamp,
)
OFF = Observation(present=False, kernel_ipv6=False)
NO_RULES = {"rules": [], "enabled": False, "foreign_rules": "report", "outgoing": "allow"}


def survey(units=None, firewall=None):
    return {"units": units or {}, "firewall": firewall, "links": {}, "fingerprint_key": KEY}


def settled(plugin, options, seen):
    action = object.__new__(plugin.ActionModule)
    return action.settled(options, seen)


def service(units, **options):
    return settled(configured_service, {**SERVICE, **options}, survey(units))


def test_a_service_that_was_just_seen_as_declared_is_not_asked_again():
    assert service({"thing.service": SIGHT.as_result()})["changed"] is False


@pytest.mark.parametrize(
    "options",
    [
        {"files": [{**FILE, "content": "b"}]},
        {"files": [FILE, {**FILE, "path": "/etc/more.cfg"}]},
        {"stopped_units": ["rival.service"]},
        {"watched_files": ["/etc/certificate"]},
        {"links": [{"path": "/etc/key", "target": "/etc/keys/key"}]},
        {"files": [{**FILE, "mode": "9"}]},
    ],
    ids=[
        "another content",
        "a new file",
        "a new rival",
        "a new watch",
        "a new link",
        "an option that only the module can refuse",
    ],
)
def test_a_service_that_may_differ_is_asked(options):
    assert service({"thing.service": SIGHT.as_result()}, **options) is None


def test_a_service_that_was_never_configured_is_asked():
    assert service({}) is None


def test_a_firewall_that_was_just_seen_as_declared_is_not_asked_again():
    found = settled(ufw_rules, NO_RULES, survey(firewall={**OFF.as_result()}))
    assert (found["changed"], found["commands"]) == (False, [])


def test_a_firewall_that_nobody_has_confirmed_is_asked():
    doubtful = {**OFF.as_result(), "doubtful": True}
    assert settled(ufw_rules, NO_RULES, survey(firewall=doubtful)) is None


def test_a_firewall_that_differs_is_asked():
    assert settled(ufw_rules, {**NO_RULES, "enabled": True}, survey(firewall=OFF.as_result())) is None


def test_a_firewall_that_could_not_be_looked_at_is_asked():
    assert settled(ufw_rules, NO_RULES, survey()) is None
