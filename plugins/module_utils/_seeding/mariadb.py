# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""MariaDB: a physical backup, streamed into a directory beside the target's data and put in its place when complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import typing as t

from .._replication.seeding.admission import gtids_in, position_of
from .._replication.session import Statement
from . import record
from .errors import ChannelError, SeedingFailedError

if t.TYPE_CHECKING:
    from .._replication.session import Session
    from .channel import Channel

UNIT = "mariadb.service"
_RECORDED = ("binlog_info", "slave_info")
"""Files of the backup that say to which position it belongs; their names begin with what the program is called."""
_PREFIXES = ("mariadb_backup_", "xtrabackup_")
_UPGRADE_FILES = ("mariadb_upgrade_info", "mysql_upgrade_info")
_LAST_WORDS = 1500
_PREPARE_MEMORY = "512M"
_LOG_COPY_MILLISECONDS = 50
"""At the end commits wait for the thread that copies the redo log to look again: by default for up to a second."""
_SHOWN_EVERY_BYTES = 16 * 1024 * 1024


def send(channel: Channel, socket: str) -> None:
    """Stream a backup of the running server, and say whether it became complete."""
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as scratch:
        command = ["mariadb-backup", "--backup", "--stream=mbstream", "--slave-info", f"--target-dir={scratch}"]
        command += [f"--socket={socket}", "--user=root", f"--log-copy-interval={_LOG_COPY_MILLISECONDS}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process:
            try:
                channel.send_stream(t.cast("t.IO[bytes]", process.stdout))
            except ChannelError:
                process.terminate()
                raise
        log.seek(0)
        words = log.read().decode(errors="replace")
    if process.returncode or "completed OK!" not in words:
        channel.send_note({"complete": False, "reason": words[-_LAST_WORDS:]})
        raise SeedingFailedError(f"mariadb-backup failed: {words[-_LAST_WORDS:]}")
    channel.send_note({"complete": True})


def receive(channel: Channel, directory: str, total: int) -> int:
    """Unpack the stream into a directory; whatever is not complete is an error."""
    received = shown = 0
    with tempfile.TemporaryFile() as log:
        command = ["mbstream", "--extract", f"--directory={directory}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log) as process:
            unpacked = t.cast("t.IO[bytes]", process.stdin)
            try:
                for piece in channel.receive_stream():
                    unpacked.write(piece)
                    received += len(piece)
                    if received - shown >= _SHOWN_EVERY_BYTES:
                        shown = received
                        record.show_progress("receiving", received, total)
                unpacked.close()
            except BrokenPipeError:
                pass  # its own words are told below
            except ChannelError:
                process.terminate()
                raise
        log.seek(0)
        words = log.read().decode(errors="replace")[-_LAST_WORDS:]
    if process.returncode:
        raise SeedingFailedError(f"mbstream could not unpack the backup: {words}. The server here is as it was")
    trailer = channel.receive_note()
    if not trailer["complete"]:
        raise SeedingFailedError(f"The donor's backup failed: {trailer['reason']}. The server here is as it was")
    return received


def prepare(directory: str) -> None:
    """Bring the copied files to one moment."""
    command = ["mariadb-backup", "--prepare", f"--use-memory={_PREPARE_MEMORY}", f"--target-dir={directory}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or "completed OK!" not in done.stderr:
        raise SeedingFailedError(
            f"mariadb-backup could not prepare the copy: {done.stderr[-_LAST_WORDS:]}. The server here is as it was"
        )


def read_position(directory: str) -> str:
    """Return the GTID position that the copy belongs to."""
    recorded: list[str] = []
    for prefix in _PREFIXES:
        for name in _RECORDED:
            path = os.path.join(directory, prefix + name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as stream:
                    recorded += gtids_in(stream.read())
    position = position_of(recorded)
    if not position:
        raise SeedingFailedError(
            "The backup names no GTID position: does the donor log what it writes? The server here is as it was"
        )
    return position


def with_position(position: str) -> str:
    """Return what makes the server take its position before it takes any login, however often it is started.

    What it has logged since then counts for more: a start in a year from now must not turn it back. No event that came
    with the copy runs before it is disabled: those of an administrator write on a closed server, too.
    """
    with open(record.POSITION_FILE, "w", encoding="utf-8") as stream:
        stream.write(
            f"SET GLOBAL gtid_slave_pos = IF(@@GLOBAL.gtid_binlog_pos = '', '{position}', @@GLOBAL.gtid_slave_pos);\n"
        )
    return f'[Service]\nEnvironment="MYSQLD_OPTS=--init-file={record.POSITION_FILE} --event-scheduler=OFF"\n'


def take_history(session: Session, history: str) -> None:
    """Let the server know all that its copy has: a position names only the newest transaction of each domain.

    Without the others a server that is promoted later would call those of its replicas errant that stem from earlier
    primaries, and would pretend to have the binary logs of all that it has.
    """
    state = session.query(Statement("SELECT @@global.gtid_binlog_state AS history"))[0]["history"]
    if history and not state:
        session.query(Statement("SET GLOBAL gtid_binlog_state = %s", (history,)))


def clear_notes(directory: str) -> None:
    """Remove what the backup wrote for us and the server has no use for."""
    for name in os.listdir(directory):
        if name.startswith(_PREFIXES) or name == "backup-my.cnf":
            os.unlink(os.path.join(directory, name))


def read_upgrade_note(directory: str) -> dict[str, str]:
    """Return the file that says for which version the system tables were made; a backup leaves it out."""
    found = {}
    for name in _UPGRADE_FILES:
        path = os.path.join(directory, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                found[name] = stream.read()
    return found


def write_upgrade_note(directory: str, note: t.Mapping[str, str]) -> None:
    for name in _UPGRADE_FILES:
        if name in note:
            with open(os.path.join(directory, name), "w", encoding="utf-8") as stream:
                stream.write(str(note[name]))


def missing_program() -> str | None:
    """Name a program that is needed and not installed."""
    return next((name for name in ("mariadb-backup", "mbstream") if shutil.which(name) is None), None)


__all__ = (
    "UNIT",
    "clear_notes",
    "missing_program",
    "prepare",
    "read_position",
    "read_upgrade_note",
    "receive",
    "send",
    "take_history",
    "with_position",
    "write_upgrade_note",
)
