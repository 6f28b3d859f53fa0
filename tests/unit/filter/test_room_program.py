# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import io
import zipfile

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.webinfra.stack.plugins.filter.room_program import room_program
from ansible_collections.webinfra.stack.plugins.plugin_utils.room_program import ROOMS


def names():
    packed = base64.b64decode(room_program("_guard"))
    return zipfile.ZipFile(io.BytesIO(packed)).namelist()


def test_the_same_files_make_the_same_program():
    assert room_program("_guard") == room_program("_guard")


def test_it_holds_the_rooms_that_the_guard_may_import_and_no_other():
    rooms = {name.split("/")[1] for name in names() if name.count("/") > 1}
    assert rooms == {"_guard", "_replication", "_sql", "_files"}


def test_it_holds_what_is_imported_inside_a_room_by_name():
    # "from . import heartbeat" names a file, and not something in it.
    assert "webinfra/_replication/heartbeat.py" in names()


def test_it_leaves_out_what_nothing_imports():
    assert "webinfra/_replication/moves/failover.py" not in names()


def test_a_file_in_it_is_the_one_of_the_room():
    packed = base64.b64decode(room_program("_guard"))
    inside = zipfile.ZipFile(io.BytesIO(packed)).read("webinfra/_guard/guard.py")
    assert inside == (ROOMS / "_guard" / "guard.py").read_bytes()


def test_a_room_without_a_program_is_named():
    with pytest.raises(AnsibleFilterError, match="_balancer is no room with a program"):
        room_program("_balancer")
