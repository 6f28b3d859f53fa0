# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
import time

from ansible_collections.webinfra.stack.plugins.plugin_utils.playbook_run import PlaybookRun, run_playbook

OUTPUT = """\
TASK [webinfra.stack.switchover : Move the writes] *****************************
changed: [db1] => {"changed": true, "primary": "db2", "writes_closed_ms": 31.4}
ok: [db2 -> localhost] => {"changed": false, "primary": "db9"}
fatal: [db3]: FAILED! => {"changed": false, "msg": "no"}
changed: [db3] => (item=1) => {"broken

PLAY RECAP *********************************************************************
db1                        : ok=3    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
db2                        : ok=2    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
"""


def said(output: str) -> PlaybookRun:
    return PlaybookRun(began=0, seconds=1, code=0, output=output)


def program(text: str, timeout: float = 20) -> PlaybookRun:
    return run_playbook([sys.executable, "-c", text], {"FOR_THE_TEST": "here"}, timeout)


def test_the_recap_tells_where_something_was_changed():
    assert said(OUTPUT).changed == {"db1": 1, "db2": 0}


def test_the_tasks_that_changed_something_are_named():
    assert said(OUTPUT).changes == [
        "webinfra.stack.switchover : Move the writes on db1",
        "webinfra.stack.switchover : Move the writes on db3",
    ]


def test_the_tasks_that_failed_are_named_with_their_reasons():
    assert said(OUTPUT).complaints == ["webinfra.stack.switchover : Move the writes on db3: no"]


def test_a_result_is_found_by_a_key_that_it_has():
    assert said(OUTPUT).result_with("writes_closed_ms")["primary"] == "db2"
    assert said(OUTPUT).result_with("msg") == {"changed": False, "msg": "no"}
    assert said(OUTPUT).result_with("nothing") == {}


def test_the_tail_is_the_end():
    assert said("\n".join(str(number) for number in range(100))).tail.splitlines()[0] == "60"


def test_a_run_has_its_output_its_code_and_its_environment():
    run = program("import os, sys; print(os.environ['FOR_THE_TEST'], os.environ['ANSIBLE_NOCOLOR']); sys.exit(3)")
    assert (run.code, run.output) == (3, "here 1\n")
    assert abs(run.began + run.seconds - time.time()) < 5


def test_what_does_not_end_in_time_is_killed_with_its_children():
    start = time.monotonic()
    run = program("import subprocess; subprocess.run(['sleep', '30'])", timeout=0.5)
    assert run.code < 0
    assert time.monotonic() - start < 10
