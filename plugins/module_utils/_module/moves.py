# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""The options of the modules that move the primary, and what they come to."""

from __future__ import annotations

import contextlib
import functools
import typing as t

from .._replication.errors import DatabaseError, OneSidedViewError
from .._replication.moves.acts import Orders
from .._replication.moves.failover import FailoverIntent
from .._replication.moves.moving import Means, Patience, fail_over, switch_over
from .._replication.moves.switchover import SwitchoverIntent
from .._replication.semi_sync import Durability
from .._replication.steps import SourceSettings
from .._sql.fleet import Fleet
from .._sql.source import look_at_source
from .servers import SERVERS_OPTIONS, targets_of

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible.module_utils.basic import AnsibleModule

    from .._replication.moves.outcome import Moved

MOVE_OPTIONS: dict[str, dict[str, t.Any]] = {
    **SERVERS_OPTIONS,
    "target": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "durability": {"type": "str", "choices": ["no_loss", "available"]},
    "replication_user": {"type": "str", "required": True},
    "replication_password": {"type": "str", "required": True, "no_log": True},
    "source_ca_file": {"type": "path"},
    "database": {"type": "str", "default": "webinfra"},
    "requested_by": {"type": "str"},
    "catch_up_timeout": {"type": "int", "default": 10},
    "check_timeout": {"type": "int", "default": 15},
}

_ENDING_SECONDS = 5
"""What a statement may take beyond the longest wait that it was given."""


def run(carry_out: c.Callable[..., Moved], module: AnsibleModule) -> t.NoReturn:
    """Move the primary, and end the module with what came of it."""
    try:
        moved = carry_out(module.params, check_mode=module.check_mode)
    except DatabaseError as exc:
        module.fail_json(msg=str(exc), one_sided=isinstance(exc, OneSidedViewError))
    if moved.warning:
        module.warn(moved.warning)
    if moved.failure:
        module.fail_json(msg=moved.failure, **moved.as_result())
    module.exit_json(**moved.as_result())


def switchover(params: c.Mapping[str, t.Any], *, check_mode: bool) -> Moved:
    """Carry out the switchover that the module's options describe."""
    intent = SwitchoverIntent(
        target=params["target"],
        max_lag=params["max_lag"],
        kill_transactions=params["kill_transactions"],
        force=params["force"],
    )
    patience = Patience(transaction_timeout=params["transaction_timeout"])
    with _means(params, "switchover", patience, check_mode=check_mode) as means:
        return switch_over(intent, means)


def failover(params: c.Mapping[str, t.Any], *, check_mode: bool) -> Moved:
    """Carry out the failover that the module's options describe."""
    intent = FailoverIntent(
        target=params["target"],
        force=params["force"],
        block_seconds=params["block_period"],
    )
    patience = Patience(gone_timeout=params["timeout"], silence_seconds=params["silence"], tries=params["tries"])
    with _means(params, "failover", patience, check_mode=check_mode) as means:
        return fail_over(intent, means)


@contextlib.contextmanager
def _means(params: c.Mapping[str, t.Any], kind: str, patience: Patience, *, check_mode: bool) -> c.Iterator[Means]:
    targets = targets_of(params, statement_timeout=params["check_timeout"] + _ENDING_SECONDS)
    with Fleet(targets, params["database"]) as fleet:
        yield Means(
            servers=fleet,
            orders=_orders(params, kind),
            durability=Durability(params["durability"]) if params["durability"] else None,
            look_at_source=functools.partial(
                look_at_source,
                connect_timeout=params["connect_timeout"],
                statement_timeout=_ENDING_SECONDS,
            ),
            patience=patience,
            check_mode=check_mode,
        )


def _orders(params: c.Mapping[str, t.Any], kind: str) -> Orders:
    return Orders(
        kind=kind,
        sources={server["name"]: _source(server, params) for server in params["servers"]},
        database=params["database"],
        own_account=params["login_user"],
        close_seconds=params.get("close_timeout", _ENDING_SECONDS),
        transaction_seconds=params.get("max_transaction_age", 0),
        catch_up_seconds=params["catch_up_timeout"],
        check_seconds=params["check_timeout"],
        forced=params["force"],
        requested_by=params["requested_by"],
    )


def _source(server: c.Mapping[str, t.Any], params: c.Mapping[str, t.Any]) -> SourceSettings:
    return SourceSettings(
        host=server["host"],
        port=server["port"],
        user=params["replication_user"],
        password=params["replication_password"],
        ca_file=params["source_ca_file"],
    )


__all__ = ("MOVE_OPTIONS", "failover", "run", "switchover")
