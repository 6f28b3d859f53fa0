# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server is seeded from one that takes writes; whatever dies on the way, it is never taken for what it is not."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import typing as t
from dataclasses import dataclass

import pytest

from ansible_collections.webinfra.stack.tests import waiting
from ansible_collections.webinfra.stack.tests.integration.hosts import DATA, Death
from ansible_collections.webinfra.stack.tests.integration.servers import PASSWORD, at_rest, run_module

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.tests.integration.hosts import Hosts
    from ansible_collections.webinfra.stack.tests.integration.servers import Result

ROWS = 2000
HOME = "/var/lib/webinfra/seeding"
WORKROOM = f"{DATA}/.webinfra"
_SEEDING = "ansible_collections.webinfra.stack.plugins.module_utils._seeding"
_MID_CLONE = Death(phase="cloning", function=f"{_SEEDING}.record.show_progress", calls=5)
_DEATHS = {
    "mariadb": (
        Death(phase="receiving", function=f"{_SEEDING}.channel.Channel._receive", calls=6),
        Death(phase="preparing", function=f"{_SEEDING}.mariadb.prepare", calls=1),
        Death(phase="emptying", function="os.rename", calls=12),
        Death(phase="filling", function="os.rename", calls=6),
        Death(phase="starting", function=f"{_SEEDING}.record.systemctl", calls=1),
        Death(phase="starting", function=f"{_SEEDING}.directory.discard_workroom", calls=1),
    ),
    "mysql": (
        Death(phase="emptying", function="os.rename", calls=12),
        Death(phase="filling", function="subprocess.run", calls=1),
        Death(phase="cloning", function=f"{_SEEDING}.record.systemctl", calls=1),
        _MID_CLONE,
        Death(phase="finishing", function=f"{_SEEDING}.server.silence_events", calls=1),
    ),
}
_NEEDING_A_DONOR = ("receiving", "preparing", "emptying", "cloning", "finishing")
"""A run that is to come so far."""
_COMPLETE = ("starting", "finishing")
"""The server has all of the copy."""

eventually = functools.partial(waiting.eventually, seconds=20)


@pytest.fixture(scope="module")
def donor(hosts: Hosts) -> Hosts:
    """Return db1 as a primary with rows that its binary logs do not have, and with an event that writes."""
    assert hosts.run("replication", "db1", state="primary")["changed"]
    accounts = hosts.accounts()
    accounts["accounts"].append(hosts.seeder())
    assert hosts.run("database_accounts", "db1", **accounts)["changed"]
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS // 2}) SELECT i FROM n"
    session = {"user": "root", "init_command": "SET SESSION sql_log_bin = 0"}
    hosts.sql("db1", "CREATE TABLE app_db.t (i BIGINT PRIMARY KEY)", **session)
    hosts.sql("db1", f"INSERT INTO app_db.t {numbers}", **session)
    hosts.sql("db1", f"INSERT INTO app_db.t SELECT i + {ROWS // 2} FROM app_db.t", **session)
    hosts.sql("db1", "CREATE TABLE app_db.ticks (i BIGINT AUTO_INCREMENT PRIMARY KEY)")
    hosts.sql("db1", "CREATE EVENT app_db.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO app_db.ticks VALUES ()")
    return hosts


@pytest.fixture
def empty(donor: Hosts) -> Hosts:
    """Return db2 as a closed server without data."""
    return emptied(donor)


@pytest.fixture
def stale(donor: Hosts) -> Hosts:
    """Return db2 as a closed server with data that nobody else has."""
    return with_rows_of_its_own(emptied(donor))


def emptied(hosts: Hosts) -> Hosts:
    hosts.renew("db2")
    hosts.sql("db2", "SET GLOBAL server_id = 2")
    hosts.sql("db2", f"SET GLOBAL {'super_read_only' if hosts.image.mysql else 'read_only'} = 1")
    hosts.on("db2", "rm", "-rf", WORKROOM)
    return hosts


def with_rows_of_its_own(hosts: Hosts) -> Hosts:
    for statement in ("CREATE DATABASE stray", "CREATE TABLE stray.only_here (i INT)"):
        hosts.write_on_replica(statement)
    hosts.write_on_replica("INSERT INTO stray.only_here VALUES (1), (2), (3)")
    return hosts


@contextlib.contextmanager
def written_to(hosts: Hosts) -> c.Iterator[None]:
    """Write to db1, a hundred times a second or less."""
    stop = threading.Event()

    def write() -> None:
        with contextlib.closing(hosts.connect("db1")) as connection, connection.cursor() as cursor:
            while not stop.wait(0.01):
                cursor.execute("INSERT INTO app_db.t SELECT MAX(i) + 1 FROM app_db.t")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def left(hosts: Hosts) -> list[str]:
    """Return what there is besides the data: notes of the seeding, a copy, old data."""
    drop_in = f"/etc/systemd/system/{hosts.unit}.d"
    return [*hosts.names_in(HOME), *hosts.names_in(drop_in), *hosts.names_in(WORKROOM)]


def follow(hosts: Hosts) -> None:
    """Let db2 follow db1, and compare every row."""
    result = hosts.run("replication", "db2", **hosts.following())
    assert result.get("msg") is None
    assert (result["replication"]["io_thread"], result["replication"]["sql_thread"]) == ("running", "running")
    servers = [{"name": name, "host": address} for name, address in hosts.addresses.items()]
    login = {"login_user": "seeding", "login_password": PASSWORD, "ca_file": str(hosts.ca_file)}
    compared = run_module("replication_checksum", check=False, servers=servers, load=1, **login)
    assert (compared["differences"], compared["unsettled"]) == ([], []), compared
    assert compared["rows"] >= ROWS


def tick(hosts: Hosts) -> None:
    """Wait for an event that has begun after now to be over."""
    newest = "SELECT COALESCE(MAX(i), 0) AS newest FROM app_db.ticks"
    now = hosts.sql("db1", newest)[0]["newest"]
    eventually(lambda: hosts.sql("db1", newest)[0]["newest"] > now + 1)


def test_an_empty_server_is_filled_by_one_that_takes_writes_and_follows_it(empty: Hosts) -> None:
    with written_to(empty):
        said, served = empty.seed()
        assert (said.get("msg"), served.get("msg")) == (None, None)
        assert (said["changed"], said["resumed"], said["kept_aside"]) == (True, False, None)
        assert (served["changed"], served["served"]) == (False, None if empty.image.mysql else empty.addresses["db2"])
        assert left(empty) == []
        status = empty.status("db2")
        assert (status["role"], status["read_only"], status["pristine"]) == ("standalone", True, False)
        assert status["event_scheduler"]
        follow(empty)
    assert empty.sql("db2", "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE STATUS = 'ENABLED'") == []
    again, _ = empty.seed(donor=False)
    assert again == {"changed": False}


def test_check_mode_predicts_a_seeding_and_changes_nothing(stale: Hosts) -> None:
    before = stale.status("db2")
    said, _ = stale.seed(check=True)
    assert (said["changed"], said["kept_aside"].startswith(f"{WORKROOM}/aside-")) == (True, True)
    as_it_was(stale, before)


def test_a_donor_that_dies_midway_leaves_the_server_as_it_was_and_the_next_run_completes(empty: Hosts) -> None:
    if not empty.image.mysql:  # there what the server holds is put aside before anything is asked for
        with_rows_of_its_own(empty)
    before = empty.status("db2")
    said = seed_from_a_dying_donor(empty)
    assert said["failed"]
    assert "could not be cloned" in said["msg"] if empty.image.mysql else "before its end" in said["msg"]
    assert empty.status("db2") == before
    assert left(empty) == (["journal.json", "progress.json"] if empty.image.mysql else [])
    again, _ = empty.seed(existing_data="remove")
    assert again.get("msg") is None
    assert (again["changed"], again["kept_aside"]) == (True, None)
    assert left(empty) == []
    follow(empty)


def seed_from_a_dying_donor(hosts: Hosts) -> Result:
    if not hosts.image.mysql:
        death = Death(phase=None, function=f"{_SEEDING}.channel.Channel._send", calls=8)
        return hosts.seed(donor_death=death)[0]
    clone_slowly(hosts, 4)
    seeding = hosts.seeding()
    running = "SELECT 1 FROM performance_schema.clone_progress WHERE STATE = 'In Progress' AND DATA > 0"
    eventually(lambda: hosts.sql("db2", running))
    hosts.on("db1", "systemctl", "kill", "--signal=KILL", hosts.unit)
    said = hosts.end(seeding)
    clone_slowly(hosts, 0)
    eventually(lambda: hosts.run("replication", "db1", state="primary").get("changed"))
    return said


def clone_slowly(hosts: Hosts, megabytes: int) -> None:
    """Limit what db2 clones in a second, which it lets root do whatever it holds."""
    hosts.on("db2", "mysql", "--execute", f"SET GLOBAL clone_max_data_bandwidth = {megabytes}")


@pytest.mark.parametrize(
    ("setting", "options", "words"),
    [
        (None, {"existing_data": "refuse"}, "It holds data, and existing_data=refuse. Nothing was changed"),
        ("read_only = 0", {}, "It takes writes: it is a primary, and a primary is never seeded"),
        ("server_id = 1", {}, "The donor has the same server_id 1 as this server"),
    ],
    ids=["data", "primary", "server_id"],
)
def test_a_refusal_leaves_the_server_as_it_was(
    stale: Hosts, setting: str | None, options: dict[str, t.Any], words: str
) -> None:
    if setting is not None:
        stale.sql("db2", f"SET GLOBAL {setting}")
    before = stale.status("db2")
    said, _ = stale.seed(**options)
    assert said["failed"]
    assert words in said["msg"]
    as_it_was(stale, before)


def test_a_copy_that_does_not_fit_is_refused_before_anything_is_changed(stale: Hosts) -> None:
    if stale.image.mysql:
        pytest.skip("a donor counts its tablespaces, and a large one would have to be filled")
    huge = f"{DATA}/huge.ibd"
    before = stale.status("db2")
    stale.on("db1", "truncate", "--size=10T", huge)
    try:
        said, _ = stale.seed()
    finally:
        stale.on("db1", "rm", huge)
    assert said["failed"]
    assert "Make room, or give the data directory a larger file system" in said["msg"]
    as_it_was(stale, before)


def test_a_server_of_the_other_engine_is_refused(stale: Hosts) -> None:
    before = stale.status("db2")
    said = stale.end(stale.seeding(engine="mariadb" if stale.image.mysql else "mysql"))
    assert said["failed"]
    assert f"This server runs {stale.engine}" in said["msg"]
    as_it_was(stale, before)


def test_a_server_that_does_not_run_is_refused_and_keeps_what_it_holds(stale: Hosts) -> None:
    before = stale.status("db2")
    stale.on("db2", "systemctl", "stop", stale.unit)
    said = stale.end(stale.seeding())
    assert said["failed"]
    assert "nobody knows what it holds" in said["msg"]
    stale.on("db2", "systemctl", "start", stale.unit)
    as_it_was(stale, before)


def as_it_was(hosts: Hosts, before: Result) -> None:
    assert hosts.status("db2") == before
    assert hosts.sql("db2", "SELECT COUNT(*) AS count FROM stray.only_here") == [{"count": 3}]
    assert left(hosts) == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What there is to be seen on db2 after its seeding was killed."""

    phase: str
    """As the journal says."""
    position: str
    start: str
    """What systemd says to a start."""
    info: Result

    @property
    def replication(self) -> Result:
        assert "msg" not in self.info, self.info
        return at_rest(self.info)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A seeding that was killed time and again, each run going on from where the one before has been."""

    hosts: Hosts
    before: Result
    sights: list[Sight]
    last: Result
    left: list[str]

    def seen_in(self, *phases: str) -> list[Sight]:
        found = [sight for sight in self.sights if sight.phase in phases]
        if not found:
            pytest.skip(f"{self.hosts.engine} has no such phase")
        return found


@pytest.fixture(scope="module")
def interrupted(donor: Hosts) -> Interrupted:
    """Kill the seeding of a server that holds data in each phase, and then let it complete."""
    before = at_rest(with_rows_of_its_own(emptied(donor)).info("db2"))
    sights: list[Sight] = []
    for death in _DEATHS[donor.engine]:
        if death is _MID_CLONE:
            clone_slowly(donor, 5)  # and when the next run comes, the server still does
        donor.seed(death=death, donor=donor.image.mysql or death.phase in _NEEDING_A_DONOR)
        if death.phase in _COMPLETE:
            tick(donor)  # its event came along
        sights.append(look(donor))
    last, _ = donor.seed(donor=donor.image.mysql)
    assert last.get("msg") is None
    return Interrupted(hosts=donor, before=before, sights=sights, last=last, left=left(donor))


def look(hosts: Hosts) -> Sight:
    journal = json.loads(hosts.on("db2", "cat", f"{HOME}/journal.json"))
    start = hosts.on("db2", "sh", "-c", f"systemctl start {hosts.unit} 2>&1 || true")
    return Sight(phase=journal["phase"], position=journal["position"], start=start, info=hosts.info("db2"))


def test_a_seeding_is_killed_where_it_should_be(interrupted: Interrupted) -> None:
    deaths = _DEATHS[interrupted.hosts.engine]
    assert [sight.phase for sight in interrupted.sights] == [death.phase for death in deaths]


def test_until_the_copy_is_complete_a_killed_seeding_leaves_the_server_as_it_was(interrupted: Interrupted) -> None:
    for sight in interrupted.seen_in("receiving", "preparing"):
        assert sight.replication == interrupted.before


def test_while_its_data_are_exchanged_the_server_neither_runs_nor_starts(interrupted: Interrupted) -> None:
    for sight in interrupted.seen_in("emptying", "filling"):
        assert "Assertion failed" in sight.start  # and not what the server makes of half a directory
        assert "cannot be reached" in sight.info["msg"]


def test_a_server_that_was_not_cloned_to_the_end_is_closed_and_empty(interrupted: Interrupted) -> None:
    for sight in interrupted.seen_in("cloning"):
        found = sight.replication
        assert (found["role"], found["read_only"], found["pristine"]) == ("standalone", True, True)
        assert found["gtid_executed"] == ""


def test_a_server_with_all_of_the_copy_is_closed_and_knows_its_position(interrupted: Interrupted) -> None:
    for sight in interrupted.seen_in(*_COMPLETE):
        found = sight.replication
        assert (found["role"], found["read_only"], found["pristine"]) == ("standalone", True, False)
        assert found["gtid_executed"] == (sight.position or interrupted.last["position"])


def test_the_next_run_finishes_it_and_leaves_nothing_but_the_old_data(interrupted: Interrupted) -> None:
    assert (interrupted.last["changed"], interrupted.last["resumed"]) == (True, True)
    assert interrupted.last["kept_aside"].startswith(f"{WORKROOM}/aside-")
    assert interrupted.left == [interrupted.last["kept_aside"].rpartition("/")[2]]


def test_a_server_whose_seeding_was_killed_time_and_again_follows(interrupted: Interrupted) -> None:
    follow(interrupted.hosts)


def test_what_was_put_aside_in_several_runs_is_a_whole_server(interrupted: Interrupted) -> None:
    hosts, aside = interrupted.hosts, interrupted.last["kept_aside"]
    server = "mysqld" if hosts.image.mysql else "mariadbd"
    socket = "/run/mysqld/aside.sock"
    alone = ("--no-defaults", "--user=mysql", "--skip-networking", f"--datadir={aside}", f"--socket={socket}")
    hosts.on("db2", "systemd-run", "--quiet", "--unit=aside", "--service-type=notify", f"/usr/sbin/{server}", *alone)
    try:
        count = "SELECT COUNT(*) FROM stray.only_here"
        query = (hosts.engine, f"--socket={socket}", "--skip-column-names", "--execute", count)
        assert hosts.on("db2", *query) == "3"
    finally:
        hosts.on("db2", "systemctl", "stop", "aside")
