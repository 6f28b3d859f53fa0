# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._service.service import (
    FileSight,
    OptionError,
    Service,
    Sight,
    digest,
    plan_service,
)
from ansible_collections.webinfra.stack.plugins.module_utils._service.unit import UnitState

KEY = b"a key"
CONFIGURATION = {
    "path": "/etc/thing/thing.cfg",
    "content": "a",
    "secret_content": None,
    "encoded_content": None,
    "owner": "root",
    "group": "thing",
    "mode": "0640",
    "validate": None,
    "on_change": "reload",
}
OPTIONS = {
    "name": "thing.service",
    "enabled": True,
    "files": [CONFIGURATION],
    "links": [{"path": "/etc/thing/key", "target": "/etc/keys/key"}],
    "watched_files": ["/etc/keys/certificate"],
    "restart_allowed": True,
    "absent_files": ["/etc/thing/default.cfg"],
    "stopped_units": ["rival.service"],
}
SERVICE = Service.from_options(OPTIONS)
RUNNING = UnitState(known=True, active=True, enabled=True, stale_unit_file=False)
GONE = UnitState(known=False, active=False, enabled=False, stale_unit_file=False)
IN_PLACE = FileSight(digest=digest(b"a", KEY), owner="root", group="thing", mode=0o640)
CONVERGED = Sight(
    files={"/etc/thing/thing.cfg": IN_PLACE, "/etc/thing/default.cfg": None},
    states={"thing.service": RUNNING, "rival.service": GONE},
    loaded=SERVICE.stamp.with_watched({"/etc/keys/certificate": "one"}),
    watched={"/etc/keys/certificate": "one"},
    links={"/etc/thing/key": "/etc/keys/key"},
)


def seen(sight=CONVERGED, *, files=None, states=None):
    return replace(sight, files={**sight.files, **(files or {})}, states={**sight.states, **(states or {})})


def plan(sight):
    return plan_service(SERVICE, sight, key=KEY)


def test_a_service_that_was_seen_as_declared_needs_nothing():
    assert plan(CONVERGED).empty


@pytest.mark.parametrize(
    "sight",
    [
        None,
        replace(IN_PLACE, digest=digest(b"b", KEY)),
        replace(IN_PLACE, owner="thing"),
        replace(IN_PLACE, mode=0o644),
    ],
    ids=["missing", "other content", "other owner", "readable for all"],
)
def test_a_file_that_differs_is_written(sight):
    found = plan(seen(files={"/etc/thing/thing.cfg": sight}))
    assert found.touched == ["/etc/thing/thing.cfg"]
    assert not found.empty


def test_a_file_that_must_not_be_there_is_removed():
    found = plan(seen(files={"/etc/thing/default.cfg": IN_PLACE}))
    assert (found.surplus, found.empty) == (("/etc/thing/default.cfg",), False)


@pytest.mark.parametrize("found", [None, "/etc/keys/old"], ids=["missing", "points elsewhere"])
def test_a_link_that_differs_is_made_and_the_unit_reloaded(found):
    loaded = replace(CONVERGED.loaded, links={} if found is None else {"/etc/thing/key": found})
    planned = plan(replace(CONVERGED, links={"/etc/thing/key": found}, loaded=loaded))
    assert (planned.touched, planned.unit.activate) == (["/etc/thing/key"], "reload")


INITIAL = Service.from_options({**OPTIONS, "links": [{"path": "/srv/current", "target": "/srv/one", "initial": True}]})


@pytest.mark.parametrize(("found", "made"), [(None, 1), ("/srv/one", 0), ("/srv/two", 0)])
def test_a_link_that_others_change_is_made_where_there_is_none_and_never_again(found, made):
    loaded = replace(CONVERGED.loaded, links={})
    planned = plan_service(INITIAL, replace(CONVERGED, links={"/srv/current": found}, loaded=loaded), key=KEY)
    assert (len(planned.links), planned.unit.activate) == (made, None)


def test_a_link_that_others_change_is_nothing_that_the_unit_has_loaded():
    assert INITIAL.stamp.links == {}


def test_a_file_of_somebody_else_that_has_changed_reloads_the_unit_and_is_not_written():
    planned = plan(replace(CONVERGED, watched={"/etc/keys/certificate": "another"}))
    assert (planned.touched, planned.unit.activate, planned.empty) == ([], "reload", False)


def test_a_file_of_somebody_else_that_is_missing_is_told():
    planned = plan(replace(CONVERGED, watched={"/etc/keys/certificate": None}))
    assert (planned.missing, planned.empty) == (("/etc/keys/certificate",), False)


@pytest.mark.parametrize(
    "rival", [replace(GONE, active=True), replace(GONE, enabled=True)], ids=["runs", "would run after a reboot"]
)
def test_a_rival_is_stopped(rival):
    found = plan(seen(states={"rival.service": rival}))
    assert (found.rivals, found.empty) == (("rival.service",), False)


@pytest.mark.parametrize(
    "state",
    [replace(RUNNING, active=False), replace(RUNNING, enabled=False), replace(RUNNING, stale_unit_file=True)],
    ids=["stopped", "disabled", "unit file changed since it was read"],
)
def test_a_unit_that_does_not_run_as_declared_is_not_settled(state):
    assert not plan(seen(states={"thing.service": state})).empty


def test_a_unit_that_has_loaded_something_else_is_not_settled():
    assert not plan(replace(CONVERGED, loaded=None)).empty


def test_a_fingerprint_made_with_another_key_proves_nothing():
    assert not plan_service(SERVICE, CONVERGED, key=b"another key").empty


@pytest.mark.parametrize(
    "sight",
    [
        replace(CONVERGED, files={"/etc/thing/thing.cfg": IN_PLACE}),
        replace(CONVERGED, states={"thing.service": RUNNING}),
        replace(CONVERGED, watched={}),
        replace(CONVERGED, links={}),
    ],
    ids=["a file", "a rival", "a file of somebody else", "a link"],
)
def test_what_was_not_looked_at_is_not_covered(sight):
    assert CONVERGED.covers(SERVICE)
    assert not sight.covers(SERVICE)


def test_a_sight_survives_the_way_through_a_result():
    assert Sight.from_result(CONVERGED.as_result()) == CONVERGED


def test_a_mode_that_is_not_octal_is_refused_with_its_file():
    with pytest.raises(OptionError, match=r"mode '9' of /etc/thing/thing.cfg is not octal"):
        Service.from_options({**OPTIONS, "files": [{**CONFIGURATION, "mode": "9"}]})


def test_a_validator_that_never_sees_the_file_is_refused():
    with pytest.raises(OptionError, match="must contain %s"):
        Service.from_options({**OPTIONS, "files": [{**CONFIGURATION, "validate": "thing --check"}]})


def test_content_that_is_no_text_comes_encoded():
    options = {**OPTIONS, "files": [{**CONFIGURATION, "content": None, "encoded_content": "/w=="}]}
    assert Service.from_options(options).files[0].content == b"\xff"


def test_content_that_is_badly_encoded_is_refused_with_its_file():
    with pytest.raises(OptionError, match=r"encoded_content of /etc/thing/thing.cfg is not base64"):
        Service.from_options({**OPTIONS, "files": [{**CONFIGURATION, "content": None, "encoded_content": "?"}]})
