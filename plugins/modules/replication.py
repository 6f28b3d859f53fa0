# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: replication
short_description: Make a database server a replica, or open it as the primary
version_added: 0.1.0
author: [The webinfra.stack maintainers (@webinfra)]
description:
  - Makes a MariaDB or MySQL server follow a source by GTID, and waits until it really does. The module fails when
    replication does not work, with the engine's reason and what to do about it.
  - It never demotes a server that takes writes, and never buries transactions that the source lacks. It refuses then,
    and leaves the server as it was.
extends_documentation_fragment:
  - webinfra.stack.attributes
  - webinfra.stack.login
attributes:
  check_mode:
    support: full
    details: Predicts from the same plan. Whether the source will be reached shows only in a real run.
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
options:
  state:
    description:
      - V(replica) makes the server follow O(source_host), takes no writes but its, and starts both threads.
      - A server that has no data yet starts from the beginning of the source's history, and forgets what its own
        installation has logged. A server that has data is only taken if the source has all of it.
      - V(primary) opens the server for writes. It is refused while a source is configured.
      - With O(durability) commits of the primary wait for a replica as soon as one acknowledges.
    type: str
    choices: [replica, primary]
    required: true
  source_host:
    description:
      - Name or address of the server to follow, as this server reaches it. Required for O(state=replica).
    type: str
  source_port:
    description:
      - TCP port of the server to follow.
    type: int
    default: 3306
  replication_user:
    description:
      - The account on the source that replicas log in with. Required for O(state=replica).
    type: str
  replication_password:
    description:
      - The password of O(replication_user). At most 32 characters on MySQL and 96 on MariaDB. Required for
        O(state=replica).
      - A new password is noticed at once on MySQL. MariaDB does not show the one it has stored. There it is
        set with O(password_renewed).
    type: str
  password_renewed:
    description:
      - Whether O(replication_password) has just been changed on the source. Sets it anew on a link that works, on
        MariaDB, which does not show the one it has stored. MySQL is asked instead.
      - A link whose login is refused otherwise is broken, and only O(repair=true) sets it anew.
    type: bool
    default: false
  source_ca_file:
    description:
      - File with the authority of the source's certificate, on the target. The database server must be able to read
        it.
      - With it the link must be TLS, and the source's certificate must be signed by this authority and name
        O(source_host). Without it the link is set up without TLS, and everything on it can be read on the way.
    type: path
  durability:
    description:
      - What an acknowledged commit is worth. Sets semi-synchronous replication at run time, on both of its sides,
        with the wait before the commit becomes visible.
      - V(no_loss) waits for a replica without an end. What a client was told is committed is on two servers, and
        while no replica acknowledges, nothing is written at all.
      - V(available) waits one second. Then the primary goes on without its replicas, and what is written from there
        on is lost with it.
      - Commits wait only once a replica acknowledges, so that the first run does not block itself, and never on a
        replica. On MySQL the plugins are loaded.
      - Without it nothing of this is touched.
    type: str
    choices: [no_loss, available]
  expected_replicas:
    description:
      - How many replicas are meant to follow this server, for O(state=primary) with O(durability).
      - With V(0) commits do not wait, because nobody will ever acknowledge. With more, a primary that has data waits up
        to O(timeout) for the first one before it takes writes, and warns when none comes.
      - Without it commits wait if a replica acknowledges at this moment.
    type: int
  known_replicas:
    description:
      - The addresses from which replicas may come, for O(state=primary). The module warns of any other server that
        replicates from this one, and leaves it alone. It may be one that was taken out of the inventory.
      - Without it nobody is warned of.
    type: list
    elements: str
  canary_database:
    description:
      - A database in which the primary writes the row C(heartbeat) every second, for O(state=primary). Makes the
        database, the table, a locked account that may write there and nothing else, and the event, and switches the
        event scheduler on. The age of the row on a replica is its lag.
      - Without it no heartbeat is made.
    type: str
  repair:
    description:
      - Whether a link that was working and is broken is started again, with the login given here. With V(false) the
        module fails with the reason and changes nothing, because somebody may have stopped it on purpose.
      - A link that never worked is completed in either case.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds to wait until both threads run, or until the first replica acknowledges.
    type: int
    default: 30
notes:
  - The module logs in to the source as well, with O(replication_user) and from where it runs, to compare both
    histories before it changes anything. A running link that is as it should be is not looked at again.
seealso:
  - module: webinfra.stack.replication_info
  - module: webinfra.stack.replication_check
"""

EXAMPLES = r"""
- name: Make this server a replica of db1
  webinfra.stack.replication:
    state: replica
    source_host: db1.internal
    replication_user: replication
    replication_password: "{{ database_replication_password }}"
    source_ca_file: /etc/mysql/tls/ca.pem

- name: Open this server as the primary, with a heartbeat; no acknowledged commit may be lost
  webinfra.stack.replication:
    state: primary
    durability: no_loss
    expected_replicas: 2
    canary_database: webinfra
"""

RETURN = r"""
steps:
  description: What was done, or would have to be done in check mode, and why.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: >-
        V(close_writes), V(open_writes), V(stop_threads), V(clear_history), V(follow), V(start_threads),
        V(load_semi_sync), V(set_semi_sync), V(reconnect) or V(keep_heartbeat).
      type: str
      returned: success
    reason:
      description: Why it is needed.
      type: str
      returned: success
  sample:
    - action: follow
      reason: no source is configured
    - action: start_threads
      reason: a changed source starts from rest
replication:
  description:
    - What the server is afterwards, as RV(webinfra.stack.replication_info#module:replication) describes it. The
      prediction in check mode.
  returned: when the server could be asked, also after a failure to replicate
  type: dict
  sample:
    role: replica
    io_thread: running
    sql_thread: running
    lag_seconds: 0
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.webinfra.stack.plugins.module_utils._module.login import (
    LOGIN_OPTIONS,
    STATEMENT_SECONDS,
    look_at_source,
    session_for,
)
from ansible_collections.webinfra.stack.plugins.module_utils._module.results import outcome_result
from ansible_collections.webinfra.stack.plugins.module_utils._replication.convergence import (
    Outcome,
    Patience,
    PrimarySettings,
    make_primary,
    make_replica,
)
from ansible_collections.webinfra.stack.plugins.module_utils._replication.errors import DatabaseError
from ansible_collections.webinfra.stack.plugins.module_utils._replication.semi_sync import Durability
from ansible_collections.webinfra.stack.plugins.module_utils._replication.steps import SourceSettings, SourceView

if t.TYPE_CHECKING:
    from ansible_collections.webinfra.stack.plugins.module_utils._replication.session import Session

OPTIONS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["replica", "primary"], "required": True},
    "source_host": {"type": "str"},
    "source_port": {"type": "int", "default": 3306},
    "replication_user": {"type": "str"},
    "replication_password": {"type": "str", "no_log": True},
    "source_ca_file": {"type": "path"},
    "password_renewed": {"type": "bool", "default": False, "no_log": False},
    "durability": {"type": "str", "choices": ["no_loss", "available"]},
    "expected_replicas": {"type": "int"},
    "known_replicas": {"type": "list", "elements": "str"},
    "canary_database": {"type": "str"},
    "repair": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 30},
}
STOP_SECONDS = 30
"""Stopping a thread waits for the transaction it is in."""


def converge(session: Session, params: dict[str, t.Any], *, check_mode: bool) -> Outcome:
    patience = Patience(timeout=params["timeout"])
    durability = Durability(params["durability"]) if params["durability"] else None
    if params["state"] == "primary":
        settings = PrimarySettings(
            durability=durability,
            replicas=params["expected_replicas"],
            known_replicas=None if params["known_replicas"] is None else frozenset(params["known_replicas"]),
            heartbeat_database=params["canary_database"],
        )
        return make_primary(session, settings, patience=patience, check_mode=check_mode)
    source = SourceSettings(
        host=params["source_host"],
        port=params["source_port"],
        user=params["replication_user"],
        password=params["replication_password"],
        ca_file=params["source_ca_file"],
    )

    def look() -> SourceView:
        return look_at_source(source, connect_timeout=params["connect_timeout"], statement_timeout=STATEMENT_SECONDS)

    return make_replica(
        session,
        source,
        look_at_source=look,
        patience=patience,
        durability=durability,
        repair=params["repair"],
        password_renewed=params["password_renewed"],
        check_mode=check_mode,
    )


def main() -> t.NoReturn:
    module = AnsibleModule(
        argument_spec={**LOGIN_OPTIONS, **OPTIONS},
        required_if=[("state", "replica", ("source_host", "replication_user", "replication_password"))],
        supports_check_mode=True,
    )
    try:
        with session_for(module.params, statement_timeout=STOP_SECONDS) as session:
            outcome = converge(session, module.params, check_mode=module.check_mode)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc))
    if outcome.failure is not None:
        module.fail_json(msg=outcome.failure, **outcome_result(outcome))
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(**outcome_result(outcome))


if __name__ == "__main__":
    main()
