# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What must not be done to a server, and why not."""

from __future__ import annotations

import typing as t

from .advice import advice, rejoining_command
from .status import LOGIN_ERRORS, Link, Role, ServerStatus, ThreadState
from .steps import Refusal

if t.TYPE_CHECKING:
    from .steps import SourceIdentity, SourceSettings, SourceView

NO_HISTORY = (
    "{who} keeps no GTID history: turn on log_bin, the logging of replicated changes and GTID mode in the server's "
    "configuration and restart it"
)


def broken(link: Link | None, wanted: SourceSettings, *, password_renewed: bool) -> str | None:
    """Say what is wrong with a link that was working once, and is as it should be but for that.

    Somebody may have stopped it on purpose, to keep a row that was deleted elsewhere. A link that was never connected
    is an unfinished set-up and not broken, and so is one that has to be changed anyway. Nor is one whose login is
    refused because the account has just been given a new password.
    """
    if link is None or not link.established or differences(link, wanted):
        return None
    refused = link.io_error is not None and link.io_error.code in LOGIN_ERRORS and not password_renewed
    if ThreadState.STOPPED not in (link.io_thread, link.sql_thread) and not (
        refused and link.io_thread is not ThreadState.RUNNING
    ):
        return None
    found = why_stopped(link) or f"the source refuses the stored login: {link.io_error}"
    error = link.sql_error or link.io_error
    remedy = f"What to do: {advice(error)}. " if error else ""
    return (
        f"Replication from {link.endpoint} was working and is broken: {found}. Nothing was changed, because it may "
        f"have been stopped on purpose. {remedy}To have it started again with the settings of the inventory: "
        "repair=true (of the site: -e replication_repair=true)"
    )


def would_break(status: ServerStatus, wanted: SourceSettings) -> bool:
    """Tell whether a source that cannot be seen makes the change dangerous: data to bury, or a link that works."""
    if status.link is None:
        return not status.pristine
    return status.link.running or (status.link.host, status.link.port) != (wanted.host, wanted.port)


def refusal(
    status: ServerStatus, wanted: SourceSettings, source: SourceView | None, *, would_break: bool
) -> Refusal | None:
    if status.role is Role.PRIMARY and not status.pristine:
        return Refusal(_primary_stays(status))
    if not status.log_bin or not status.gtid_enabled:
        return Refusal(NO_HISTORY.format(who="This server"))
    if source is None:
        return None
    if source.identity is None:
        return _refusal_unseen(status, wanted, source) if would_break else None
    return _refusal_seen(status, wanted, source.identity)


def _primary_stays(status: ServerStatus) -> str:
    replicas = ", ".join(status.connected_replicas)
    followers = f" and feeds {replicas}" if replicas else ""
    return (
        f"It takes writes{followers}: it is a primary, and a primary is never demoted in passing. Nothing was changed. "
        "Name the true primary as source_host of the others, or move the role with a switchover"
    )


def _refusal_unseen(status: ServerStatus, wanted: SourceSettings, source: SourceView) -> Refusal:
    risk = (
        f"the link to {status.link.endpoint} works, and would be replaced by one that may not"
        if status.link is not None and status.link.running
        else f"the server holds data ({str(status.executed) or 'without a GTID history'}), and whether "
        f"{wanted.endpoint} has all of it is not known"
    )
    return Refusal(
        f"The source cannot be looked at with the account {wanted.user} from here: {source.reason}. Nothing was "
        f"changed, because {risk}"
    )


def _refusal_seen(status: ServerStatus, wanted: SourceSettings, source: SourceIdentity) -> Refusal | None:
    if source.engine != status.engine.value:
        return Refusal(
            f"{wanted.endpoint} runs {source.engine} and this server {status.engine.value}: "
            "GTID replication works within one engine only"
        )
    if source.server_id == status.server_id or (status.server_uuid and source.server_uuid == status.server_uuid):
        return Refusal(
            f"{wanted.endpoint} has the same identity (server_id {source.server_id}) as this server. Either "
            "source_host points to the server itself, or one is a copy of the other: give each its own server_id, "
            "and on MySQL remove auto.cnf from the copy's data directory and restart it"
        )
    if not source.log_bin or not source.gtid_enabled:
        return Refusal(NO_HISTORY.format(who=wanted.endpoint))
    errant = None if status.pristine else status.executed.subtract(source.executed)
    if errant:
        count = status.executed.alone(source.executed)
        return Refusal(
            f"It has {count} transactions that {wanted.endpoint} lacks: {errant}. Following would bury them. Nothing "
            f"was changed. What to do: {rejoining_command()} saves them to files, fills this server anew and makes it "
            "a replica"
        )
    return None


def differences(link: Link, wanted: SourceSettings) -> list[str]:
    """Say what has to change about a link; empty when it is as wanted."""
    found = []
    if (link.host, link.port) != (wanted.host, wanted.port):
        found.append(f"the source is {link.endpoint}, not {wanted.endpoint}")
    if link.user != wanted.user:
        found.append(f"the source is entered as {link.user}, not as {wanted.user}")
    if not link.auto_position:
        found.append("the position is not found by GTID")
    if wanted.ca_file is None and link.tls:
        found.append("the link uses TLS, and no source_ca_file is given")
    if wanted.ca_file is not None and not (link.tls and link.tls_verified and link.ca_file == wanted.ca_file):
        found.append(f"the link does not verify the source's certificate against {wanted.ca_file}")
    return found


def why_stopped(link: Link) -> str:
    stopped = [
        f"the {name} thread is stopped" + (f": {error}" if error else "")
        for name, state, error in (("IO", link.io_thread, link.io_error), ("SQL", link.sql_thread, link.sql_error))
        if state is ThreadState.STOPPED
    ]
    return "; ".join(stopped)


__all__ = ("NO_HISTORY", "broken", "differences", "refusal", "why_stopped", "would_break")
