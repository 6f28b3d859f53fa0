# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys

from ansible_collections.webinfra.stack.plugins.plugin_utils.run_holder import holder_of, is_dead


def test_a_process_that_lives_holds_its_lock():
    assert not is_dead(holder_of(os.getpid()))


def test_a_process_that_has_ended_holds_nothing():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    holder = holder_of(process.pid)
    assert not is_dead(holder)
    process.kill()
    process.wait()
    assert is_dead(holder)


def test_another_process_with_the_same_number_is_not_the_holder():
    machine, process, started = holder_of(os.getpid()).split(":")
    assert is_dead(f"{machine}:{process}:{int(started) + 1}")


def test_of_other_machines_nothing_is_known():
    _machine, process, started = holder_of(os.getpid()).split(":")
    assert not is_dead(f"another:{process}:{int(started) + 1}")
    assert not is_dead("")


def test_a_machine_without_proc_is_known_by_its_name(tmp_path):
    assert holder_of(7, tmp_path) == f"{os.uname().nodename}:7:"
