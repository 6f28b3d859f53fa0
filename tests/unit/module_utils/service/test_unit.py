# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._service.unit import (
    ChangeAction,
    Link,
    ManagedFile,
    Stamp,
    UnitPlan,
    UnitState,
    parse_show,
    plan_unit,
)

RUNNING = UnitState(known=True, active=True, enabled=True, stale_unit_file=False)
STOPPED = UnitState(known=True, active=False, enabled=True, stale_unit_file=False)


def file(path="/etc/thing", content="a", on_change=ChangeAction.RELOAD):
    return ManagedFile(
        path=path,
        content=content.encode(),
        owner="root",
        group="root",
        mode=0o644,
        secret=False,
        validate=None,
        on_change=on_change,
    )


def plan(state, *, loaded, wanted, **options):
    options = {"enabled": True, "unit_file_changed": False, "hands_off": False, **options}
    return plan_unit(state, loaded=Stamp.of_files(loaded), wanted=Stamp.of_files(wanted), **options)


def test_a_unit_that_runs_with_the_wanted_files_needs_nothing():
    assert plan(RUNNING, loaded=[file()], wanted=[file()]).empty


def test_a_stopped_unit_is_started():
    assert plan(STOPPED, loaded=[file()], wanted=[file()]).activate == "start"


def test_a_unit_whose_interrupted_run_wrote_but_did_not_reload_is_reloaded():
    assert plan(RUNNING, loaded=[file(content="old")], wanted=[file(content="new")]).activate == "reload"


def test_a_file_that_needs_a_restart_wins_over_one_that_needs_a_reload():
    before = [file("/a"), file("/b", on_change=ChangeAction.RESTART)]
    after = [file("/a", "new"), file("/b", "new", on_change=ChangeAction.RESTART)]
    assert plan(RUNNING, loaded=before, wanted=after).activate == "restart"


def test_a_file_that_is_read_at_each_use_needs_nothing():
    before = [file(content="old", on_change=ChangeAction.NONE)]
    after = [file(content="new", on_change=ChangeAction.NONE)]
    assert plan(RUNNING, loaded=before, wanted=after).empty


def test_a_running_unit_of_which_nothing_is_known_is_restarted():
    wanted = Stamp.of_files([file()])
    known = plan_unit(RUNNING, loaded=None, wanted=wanted, enabled=True, unit_file_changed=False, hands_off=False)
    assert known.activate == "restart"


def test_hands_off_leaves_a_running_unit_with_its_older_files_and_says_so():
    planned = plan(RUNNING, loaded=[file(content="old")], wanted=[file(content="new")], hands_off=True)
    assert (planned.activate, planned.outdated) == (None, True)


def test_hands_off_still_starts_a_stopped_unit():
    assert plan(STOPPED, loaded=[file()], wanted=[file()], hands_off=True).activate == "start"


@pytest.mark.parametrize(("changed", "stale"), [(True, False), (False, True)], ids=["written now", "written before"])
def test_systemd_reads_a_changed_unit_file(changed, stale):
    state = UnitState(known=True, active=True, enabled=True, stale_unit_file=stale)
    assert plan(state, loaded=[file()], wanted=[file()], unit_file_changed=changed).daemon_reload


def test_a_disabled_unit_is_enabled_only_when_asked():
    state = UnitState(known=True, active=True, enabled=False, stale_unit_file=False)
    assert plan(state, loaded=[file()], wanted=[file()]).enable
    assert not plan(state, loaded=[file()], wanted=[file()], enabled=False).enable


def test_the_fingerprint_tells_a_moved_boundary_between_name_and_content():
    assert Stamp.of_files([file("/a", "bc")]) != Stamp.of_files([file("/ab", "c")])


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"text"'], ids=["empty", "cut", "list", "no fields", "string"])
def test_a_damaged_stamp_counts_as_unknown(text):
    assert Stamp.from_text(text) is None


def test_a_stamp_survives_being_written_and_read():
    stamp = Stamp.of_files([file()], links=[Link(path="/a", target="/b")]).with_watched({"/c": "one", "/d": None})
    assert Stamp.from_text(stamp.to_text()) == stamp


def test_a_stamp_of_an_earlier_release_is_still_known():
    assert Stamp.from_text('{"reload": {}, "restart": {}}') == Stamp.of_files([])


def test_two_units_are_told_apart_in_the_output_of_show():
    shown = parse_show("Id=a.service\nActiveState=active\n\nId=b.service\nActiveState=inactive\n")
    assert [block["Id"] for block in shown] == ["a.service", "b.service"]


def test_a_unit_that_systemd_does_not_know_is_neither_active_nor_enabled():
    state = UnitState.from_properties({"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""})
    assert (state.known, state.active, state.enabled) == (False, False, False)


def test_an_empty_plan_says_so():
    assert UnitPlan(daemon_reload=False, enable=False, activate=None, outdated=True).empty
