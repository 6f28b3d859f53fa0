# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Green means that it replicates: each fault is made by hand, and mended by hand or by the next run."""

from __future__ import annotations

import contextlib
import re
import uuid

import pytest

REPLICAS = ("db2", "db3")
SEMI_SYNC = {
    "mariadb": ("Rpl_semi_sync_master_status", "Rpl_semi_sync_master_clients", "rpl_semi_sync_master_wait_point"),
    "mysql": ("Rpl_semi_sync_source_status", "Rpl_semi_sync_source_clients", "rpl_semi_sync_source_wait_point"),
}


def replicates(scenario, replica):
    return (
        scenario.link(replica).count("_SQL_Running: Yes") == 1 and scenario.link(replica).count("_IO_Running: Yes") == 1
    )


@contextlib.contextmanager
def mended(scenario, eventually, *statements):
    """Mend a fault with statements on db2; no later test means anything before it is green again."""
    try:
        yield
    finally:
        for statement in statements:
            scenario.sql("db2", statement)
        eventually(lambda: scenario.verify().code == 0, seconds=60)


@contextlib.contextmanager
def opened(scenario, name):
    """Let an administrator write on a replica, without a trace in its configuration."""
    names = ("super_read_only", "read_only") if scenario.mysql(name) else ("read_only",)
    for variable in names:
        scenario.sql(name, f"SET GLOBAL {variable} = 0")
    yield
    for variable in reversed(names):
        scenario.sql(name, f"SET GLOBAL {variable} = 1")


def red(play, *words):
    return play.code != 0 and all(word in play.output for word in words)


def test_statements_without_a_default_database_reach_every_replica(scenario, eventually):
    table = f"guest_book.t{uuid.uuid4().hex}"
    scenario.sql("db1", f"CREATE TABLE {table} (id INT PRIMARY KEY); INSERT INTO {table} VALUES (42)")
    for replica in REPLICAS:
        eventually(lambda replica=replica: table.split(".")[1] in scenario.sql(replica, "SHOW TABLES FROM guest_book"))
        eventually(lambda replica=replica: scenario.sql(replica, f"SELECT id FROM {table}") == "42")
    scenario.sql("db1", f"DROP TABLE {table}")


def test_a_commit_waits_for_a_replica(scenario):
    """Every word of both engines for: on, in time, and before the storage engine commits."""
    shown = scenario.sql("db1", "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_%'") + scenario.sql(
        "db1", "SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_%'"
    )
    values = dict(line.split("\t", 1) for line in shown.splitlines() if "\t" in line)
    engine = scenario.unit("db1")
    status, clients, wait_point = SEMI_SYNC[engine]
    assert (values[status], values[clients]) == ("ON", str(len(REPLICAS)))
    assert values[wait_point] == "AFTER_SYNC"


def test_a_second_run_is_red_while_an_applier_is_stopped(scenario, eventually):
    word = "REPLICA" if scenario.mysql("db2") else "SLAVE"
    with mended(scenario, eventually, f"START {word} SQL_THREAD"):
        scenario.sql("db2", f"STOP {word} SQL_THREAD")
        for play in (scenario.verify(), scenario.site()):
            assert red(play, "db2", "SQL thread"), play.output


def test_reads_leave_a_replica_that_has_stopped_applying(scenario, eventually):
    word = "REPLICA" if scenario.mysql("db2") else "SLAVE"
    with mended(scenario, eventually, f"START {word} SQL_THREAD"):
        scenario.sql("db2", f"STOP {word} SQL_THREAD")

        def nobody_reads_from_it():
            return all(scenario.ask()[0]["X-Db-Read"] != "db2" for _ in range(12))

        eventually(nobody_reads_from_it, seconds=60)


def test_a_row_written_on_a_replica_is_red_although_both_threads_run(scenario, eventually):
    table = f"guest_book.errant{uuid.uuid4().hex}"
    with opened(scenario, "db3"):
        scenario.sql("db3", f"CREATE TABLE {table} (id INT PRIMARY KEY)")
    # MariaDB's strict mode stops the applier with the next transaction.
    assert "_IO_Running: Yes" in scenario.link("db3")
    play = scenario.verify()
    with opened(scenario, "db3"):
        forget_errant(scenario, "db3", table)
    assert red(play, "db3", "errant"), play.output
    eventually(lambda: scenario.verify().code == 0, seconds=60)


def forget_errant(scenario, replica, table):
    """Undo it as an operator would: the row goes, and with it its place in the history."""
    scenario.sql(replica, f"SET sql_log_bin=0; DROP TABLE {table}")
    if scenario.mysql(replica):
        source = scenario.sql("db1", "SELECT @@server_uuid")
        executed = scenario.sql(replica, "SELECT @@global.gtid_executed").replace("\\n", "")
        kept = ",".join(part.strip() for part in executed.split(",") if source in part)
        scenario.sql(
            replica, f"STOP REPLICA; RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged='{kept}'; START REPLICA"
        )
    else:
        position = scenario.sql(replica, "SELECT @@global.gtid_slave_pos")
        scenario.sql(replica, f"STOP SLAVE; RESET MASTER; SET GLOBAL gtid_slave_pos='{position}'; START SLAVE")


def silence(scenario, eventually):
    """Let nothing be on its way: a MariaDB primary that dies drops what its log on the disk does not call committed."""
    if scenario.mysql("db1"):
        return
    scenario.sql("db1", "SET GLOBAL event_scheduler = OFF")
    eventually(lambda: len({scenario.sql(name, "SELECT @@global.gtid_binlog_pos") for name in scenario.databases}) == 1)
    scenario.sql("db1", "FLUSH LOCAL ENGINE LOGS")


def kill(scenario, name):
    scenario.host(name).check_output(f"systemctl kill --signal=SIGKILL {scenario.unit(name)}")


def closed(scenario, name):
    """Return what the server answers, and nothing while it does not."""
    unit = scenario.unit(name)
    return scenario.host(name).run(f"{unit} --batch --skip-column-names --execute 'SELECT @@global.read_only'").stdout


def said(scenario, name):
    return scenario.host(name).check_output("journalctl --unit webinfra-primary-guard --output cat")


def test_a_killed_primary_comes_back_closed_and_opens_itself(scenario, eventually):
    """Nothing is on its way when it dies: with a replica that has more than it, it would stay closed."""
    message = f"before the crash {uuid.uuid4()}"
    scenario.ask("/entries", {"name": "molecule", "message": message})
    silence(scenario, eventually)
    before = said(scenario, "db1").count("Opening: Followed by db2, db3")
    kill(scenario, "db1")
    eventually(lambda: said(scenario, "db1").count("Opening: Followed by db2, db3") > before, seconds=60)
    eventually(lambda: closed(scenario, "db1") == "0\n")
    eventually(lambda: scenario.verify().code == 0, seconds=60)
    assert message in scenario.ask()[1]
    play = scenario.site()
    assert play.code == 0, play.output
    assert not any(play.changed.values()), play.output


def test_a_killed_primary_that_nobody_confirms_stays_closed_and_says_so(scenario, eventually):
    silence(scenario, eventually)
    unit = scenario.unit("db1")
    for replica in REPLICAS:
        scenario.host(replica).check_output(f"systemctl stop {unit}")
    kill(scenario, "db1")
    metric = "cat /var/lib/prometheus/node-exporter/primary_guard.prom"
    eventually(lambda: '{reason="alone"} 1' in scenario.host("db1").run(metric).stdout, seconds=90)
    assert closed(scenario, "db1") == "1\n"
    assert "bring db2, db3 back" in said(scenario, "db1")
    for replica in REPLICAS:
        scenario.host(replica).check_output(f"systemctl start {unit}")
    eventually(lambda: closed(scenario, "db1") == "0\n", seconds=60)
    eventually(lambda: scenario.verify().code == 0, seconds=60)


def test_after_a_change_of_passwords_all_replicas_follow_and_the_application_writes(scenario):
    new = [
        "-e",
        "webinfra_replication_password=another-replication-secret",
        "-e",
        "webinfra_app_password=another-app-secret",
    ]
    for options in (new, []):
        play = scenario.site(*options)
        assert play.code == 0, play.output
        assert all(replicates(scenario, replica) for replica in REPLICAS)
        scenario.ask("/entries", {"name": "molecule", "message": "after the change"})
        again = scenario.site(*options)
        assert again.code == 0
        assert not any(again.changed.values()), again.output


@pytest.fixture
def started(scenario):
    """When each database server was started, as systemd knows it."""

    def times():
        unit = scenario.unit("db1")
        question = f"systemctl show --property=ActiveEnterTimestampMonotonic {unit}"
        return {name: scenario.host(name).check_output(question) for name in scenario.databases}

    return times


def test_a_setting_is_changed_without_a_restart(scenario, started):
    before = started()
    play = scenario.site("-e", "database_max_connections=151")
    assert play.code == 0, play.output
    assert {scenario.sql(name, "SELECT @@global.max_connections") for name in scenario.databases} == {"151"}
    assert scenario.site().code == 0
    assert {scenario.sql(name, "SELECT @@global.max_connections") for name in scenario.databases} == {"200"}
    assert started() == before


def test_a_setting_that_needs_a_restart_waits_for_permission_and_the_primary_comes_last(scenario, started):
    before = started()
    changed, allowed = ("-e", "database_report_host=elsewhere"), ("-e", "database_restart_allowed=true")
    scenario.site(*changed)
    assert started() == before
    for options in ((*changed, *allowed), allowed):
        play = scenario.site(*options)
        assert play.code == 0, play.output
        moments = {name: int(said.rpartition("=")[2]) for name, said in started().items()}
        assert moments["db2"] != moments["db3"]
        assert max(moments["db2"], moments["db3"]) < moments["db1"], moments
        assert all(started()[name] != before[name] for name in scenario.databases)
        before = started()
        assert scenario.verify().code == 0


def served_until(scenario, name):
    """Return until when the certificate is valid that the server shows its clients now."""
    word = scenario.sql(name, "SHOW GLOBAL STATUS LIKE 'Ssl_server_not_after'")
    return re.sub(r"^\S+\s+", "", word)


def test_a_certificate_is_renewed_without_a_restart(scenario, started):
    before, validity = started(), {name: served_until(scenario, name) for name in scenario.databases}
    play = scenario.site("-e", "private_ca_valid_days=300", "-e", "private_ca_renew_days=366")
    assert play.code == 0, play.output
    for name in scenario.databases:
        assert served_until(scenario, name) != validity[name]
    assert started() == before


def test_a_replica_that_leaves_the_inventory_is_let_go_and_can_come_back(scenario, eventually, tmp_path):
    def read_by_db3():
        table = "performance_schema" if scenario.mysql("db1") else "information_schema"
        asked = f"SELECT COUNT(*) FROM {table}.processlist WHERE HOST LIKE '{scenario.address('db3')}:%'"
        return scenario.sql("db1", asked) != "0"

    assert read_by_db3()
    fewer = scenario.inventories_without("db3", tmp_path)
    left = scenario.site(inventories=fewer)
    assert left.code == 0, left.output
    assert not read_by_db3()
    eventually(lambda: "_IO_Running: Yes" not in scenario.link("db3"))
    again = scenario.site(inventories=fewer)
    assert (again.code, sum(again.changed.values())) == (0, 0), again.output
    back = scenario.site()
    assert back.code == 0, back.output
    eventually(lambda: replicates(scenario, "db3"), seconds=60)
    eventually(lambda: scenario.verify().code == 0, seconds=60)
