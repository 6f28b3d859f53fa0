# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record what real servers answer, for the unit tests to replay.

``PYTHONPATH=.ansible/collections python -m ansible_collections.webinfra.stack.tests.integration.record_rows``
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tempfile
import time
import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._replication.heartbeat import read_heartbeat, statements
from ansible_collections.webinfra.stack.plugins.module_utils._sql.connection import Login, connected
from ansible_collections.webinfra.stack.tests.integration.servers import ENGINES, PREFIX, Pair, docker

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible_collections.webinfra.stack.plugins.module_utils._replication.engines.base import Dialect
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Row, Statement
    from ansible_collections.webinfra.stack.plugins.module_utils._sql.connection import SqlSession

ROWS = pathlib.Path(__file__).parents[1] / "unit" / "module_utils" / "replication" / "rows"
_PATIENCE_SECONDS = 30


class Recorder:
    """A session that keeps what it was answered."""

    def __init__(self, session: SqlSession) -> None:
        self._session = session
        self.heard: list[list[Row]] = []

    @property
    def dialect(self) -> Dialect:
        return self._session.dialect

    def query(self, statement: Statement) -> list[Row]:
        rows = self._session.query(statement)
        self.heard.append(rows)
        return rows


class Recording:
    """The situations of one engine, each as the answers that were given in it."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.situations: dict[str, list[list[Row]]] = {}

    def make(self) -> None:
        """Bring two servers from one situation into the next."""
        self._follow()
        self.keep("replica", "db2")
        self._without_status()
        self.keep("primary", "db1")  # after its replica, which may have nothing that it lacks
        with _session(self.pair, "db1") as primary:
            self.situations["identity"] = _heard(primary, lambda session: session.dialect.read_identity(session))
        self._refused()
        self._diverged()
        self._follow()
        self._acknowledging()

    def _follow(self) -> None:
        pair = self.pair
        pair.reset()
        pair.run("replication", "db1", state="primary")
        pair.run("database_accounts", "db1", **pair.accounts())
        with _session(pair, "db1") as primary:
            for statement in statements(primary.dialect, read_heartbeat(primary, "webinfra")):
                primary.query(statement)
        pair.run("replication", "db2", **pair.following(source_ca_file="/tls/ca.pem"))
        pair.sql("db1", "CREATE TABLE app_db.t (i INT PRIMARY KEY)")
        self.until("db2", lambda status: status.heartbeat_age_seconds is not None)

    def _without_status(self) -> None:
        with _session(self.pair, "db2") as replica:
            self.situations["hanging"] = _heard(replica, lambda session: session.dialect.read_what_answers(session, ""))

    def _acknowledging(self) -> None:
        pair = self.pair
        if pair.image.mysql:
            for name in ("db1", "db2"):
                pair.sql(name, "SET GLOBAL super_read_only = 0")
                pair.sql(name, "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
                pair.sql(name, "INSTALL PLUGIN rpl_semi_sync_replica SONAME 'semisync_replica.so'")
            pair.sql("db2", "SET GLOBAL super_read_only = 1")
        with _session(pair, "db1") as session:
            source, replica = session.dialect.semi_sync_words
        pair.sql("db2", f"SET GLOBAL rpl_semi_sync_{replica}_enabled = 1")
        pair.sql("db2", f"STOP {replica.upper()} IO_THREAD")
        pair.sql("db2", f"START {replica.upper()} IO_THREAD")
        pair.sql("db1", f"SET GLOBAL rpl_semi_sync_{source}_enabled = 1")
        self.until("db1", lambda status: status.semi_sync is not None and status.semi_sync.acknowledging_replicas == 1)
        self.keep("acknowledging", "db2")
        self.keep("acknowledged", "db1")

    def _refused(self) -> None:
        pair = self.pair
        word = "REPLICA" if pair.image.mysql else "SLAVE"
        pair.sql("db2", f"STOP {word} IO_THREAD")
        pair.sql("db1", "RENAME USER replication TO elsewhere")
        pair.sql("db2", f"START {word} IO_THREAD")
        self.until("db2", lambda status: status.link is not None and status.link.io_error is not None)
        self.keep("login_refused", "db2")
        pair.sql("db1", "RENAME USER elsewhere TO replication")
        pair.sql("db2", f"STOP {word} IO_THREAD")
        pair.sql("db2", f"START {word} IO_THREAD")
        self.until("db2", lambda status: status.link is not None and status.link.running)

    def _diverged(self) -> None:
        pair = self.pair
        pair.sql("db1", "DROP EVENT webinfra.heartbeat")
        if not pair.image.mysql:
            pair.sql("db2", "SET GLOBAL gtid_strict_mode = 0")
        self.until("db2", lambda status: status.transactions_to_apply == 0)
        pair.write_on_replica("INSERT INTO app_db.t VALUES (1)")
        pair.sql("db1", "INSERT INTO app_db.t VALUES (1)")
        self.until("db2", lambda status: status.link is not None and status.link.sql_error is not None)
        self.keep("conflict", "db2")
        pair.sql("db2", f"STOP {'REPLICA' if pair.image.mysql else 'SLAVE'}")
        self.keep("stopped", "db2")

    def keep(self, situation: str, name: str) -> None:
        with _session(self.pair, name) as session:
            self.situations[situation] = _heard(session, lambda recorder: recorder.dialect.read_status(recorder))

    def until(self, name: str, condition: c.Callable[[t.Any], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with _session(self.pair, name) as session:
            while not condition(session.dialect.read_status(session)):
                if time.monotonic() > deadline:
                    raise AssertionError(f"{self.pair.image.name}: {name} does not come into this situation")
                time.sleep(0.2)


def _heard(session: SqlSession, ask: c.Callable[[Recorder], object]) -> list[list[Row]]:
    recorder = Recorder(session)
    ask(recorder)
    return recorder.heard


@contextlib.contextmanager
def _session(pair: Pair, name: str) -> c.Iterator[SqlSession]:
    login = Login(host=pair.addresses[name], user="root", password="secret", connect_timeout=3, statement_timeout=20)
    with connected(login) as session:
        yield session


def _write(engine: str, situations: dict[str, list[list[Row]]]) -> None:
    path = ROWS / f"{engine.replace('-', '_').replace('.', '_')}.json"
    recorded = {**json.loads(path.read_text(encoding="utf-8")), **situations}
    path.write_text(json.dumps(recorded, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")


def main() -> None:
    network = f"{PREFIX}record-{os.getpid()}"
    docker("network", "create", network)
    with tempfile.TemporaryDirectory() as folder:
        shared = pathlib.Path(folder)
        shared.chmod(0o755)
        pairs = [Pair(image, network, shared) for image in ENGINES.values()]
        try:
            for pair in pairs:
                pair.start()
            for pair in pairs:
                pair.wait()
                recording = Recording(pair)
                recording.make()
                _write(pair.image.name, recording.situations)
        finally:
            for pair in pairs:
                docker("container", "rm", "--force", "--volumes", *map(pair.container, pair.names))
            docker("network", "rm", network)


if __name__ == "__main__":
    main()
