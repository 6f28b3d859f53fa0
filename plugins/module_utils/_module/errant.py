# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Save the transactions that a server has alone to files: as they are, to be read, and to be replayed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
import time
import typing as t
from dataclasses import dataclass

from .._replication.errors import RefusedError
from .._replication.rejoining.errors import ExtractionFailedError
from .._replication.rejoining.logs import read_logs, read_marks
from .._replication.rejoining.manifest import MANIFEST, Manifest, SavedFile, directory_name
from .._replication.rejoining.own import Elsewhere, Log, Mark, Span, logs_with_own, spans_of
from .._replication.session import Statement
from .host import read
from .login import session_for

if t.TYPE_CHECKING:
    import collections.abc as c

    from .._replication.rejoining.words import LogWords
    from .._replication.session import Session

READABLE = "readable.sql"
REPLAYABLE = "replay.sql"
_AS_TEXT = ("--verbose", "--base64-output=DECODE-ROWS")
_TIMES_AS_LONG = 6
"""How much longer than the log the texts are, at most, that are made of it."""
_STATEMENT_SECONDS = 120
"""Finding the place in a log of a gigabyte takes its time."""
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What is saved, or would be."""

    changed: bool
    manifest: Manifest
    directory: str | None

    def as_result(self) -> dict[str, t.Any]:
        told = {
            "gtids": self.manifest.gtids,
            "count": self.manifest.count,
            "missing": self.manifest.missing,
            "directory": self.directory,
        }
        return {
            **told,
            "changed": self.changed,
            "files": [file.name for file in self.manifest.files],
            "diff": {"before": {} if self.changed else told, "after": told},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What is to be saved, and where it is."""

    manifest: Manifest
    words: LogWords
    folder: str
    logs: tuple[Log, ...]
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]


def save(params: c.Mapping[str, t.Any], *, check_mode: bool) -> Saved:
    """Save what the primary lacks, unless it is saved already."""
    with session_for(params, statement_timeout=_STATEMENT_SECONDS) as session:
        finding = _find(session, params)
    if not finding.manifest.gtids:
        return Saved(changed=False, manifest=finding.manifest, directory=None)
    target = os.path.join(params["directory"], directory_name(params["name"], finding.manifest.gtids))
    before = _saved_before(target)
    if before is not None:
        return Saved(changed=False, manifest=before, directory=target)
    if check_mode:
        return Saved(changed=True, manifest=finding.manifest, directory=target)
    return Saved(changed=True, manifest=_write(finding, target), directory=target)


def _find(session: Session, params: c.Mapping[str, t.Any]) -> _Finding:
    status = session.dialect.read_status(session)
    parse = status.engine.parse_gtids
    elsewhere = Elsewhere(known=parse(params["gtids"]), origin=params["origin"] or "")
    own = elsewhere.lacks(status.executed)
    logs = logs_with_own(read_logs(session), status.executed, elsewhere) if own else ()
    marks = {log.name: tuple(read_marks(session, log)) for log in logs}
    found = tuple(mark for log in logs for mark in marks[log.name] if elsewhere.lacks(mark.gtid))
    manifest = Manifest(
        server=params["name"],
        engine=status.engine.value,
        version=status.version,
        server_id=status.server_id,
        server_uuid=status.server_uuid,
        gtids=str(own),
        count=len(found),
        missing=str(own.subtract(parse(",".join(str(mark.gtid) for mark in found)))),
        saved_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    return _Finding(
        manifest=manifest,
        words=session.dialect.logs,
        folder=_folder(session) if logs else "",
        logs=logs,
        spans=tuple(span for log in logs for span in spans_of(log, marks[log.name], elsewhere)),
        marks=found,
    )


def _folder(session: Session) -> str:
    return os.path.dirname(str(session.query(Statement("SELECT @@global.log_bin_basename AS base"))[0]["base"]))


def _saved_before(target: str) -> Manifest | None:
    """Return what was saved there, if no file of it is missing or was changed since."""
    text = read(os.path.join(target, MANIFEST))
    if text is None:
        return None
    manifest = Manifest.from_text(text.decode())
    sound = all(_fingerprint(os.path.join(target, file.name)) == file.sha256 for file in manifest.files)
    return manifest if sound else None


def _write(finding: _Finding, target: str) -> Manifest:
    """Write everything beside the target, and put it there when it is complete."""
    parent = os.path.dirname(target)
    os.makedirs(parent, mode=0o700, exist_ok=True)
    _insist_on_room(finding, parent)
    workplace = f"{target}.incomplete"
    _discard(workplace)
    os.mkdir(workplace, mode=0o700)
    for log in finding.logs:
        _copy(os.path.join(finding.folder, log.name), os.path.join(workplace, log.name))
    _extract(finding, workplace)
    names = [*(log.name for log in finding.logs), READABLE, REPLAYABLE]
    manifest = _with_files(finding.manifest, workplace, names)
    with _created(os.path.join(workplace, MANIFEST)) as stream:
        stream.write(manifest.to_text().encode())
    _discard(target)
    os.rename(workplace, target)
    return manifest


def _insist_on_room(finding: _Finding, parent: str) -> None:
    status = os.statvfs(parent)
    free = status.f_bavail * status.f_frsize
    needed = sum(log.size for log in finding.logs) * (1 + _TIMES_AS_LONG)
    if free < needed:
        raise RefusedError(
            f"The binary logs with what is to be saved and the texts made of them take up to {needed} bytes, and "
            f"{parent} has {free}. Nothing was changed. What to do: make room, or give another directory"
        )


def _extract(finding: _Finding, workplace: str) -> None:
    """Let the engine's program turn the logs into statements, twice: with rows to be read, and to be replayed."""
    identity = re.compile(finding.words.identity.encode())
    with (
        _created(os.path.join(workplace, READABLE)) as readable,
        _created(os.path.join(workplace, REPLAYABLE)) as replayable,
    ):
        for span in finding.spans:
            _run(finding.words, _AS_TEXT, span, workplace, readable.write)
            _run(
                finding.words,
                (),
                span,
                workplace,
                lambda line: None if identity.match(line.rstrip()) else replayable.write(line),
            )
    _insist_on_all(finding, os.path.join(workplace, READABLE))


def _run(
    words: LogWords, options: c.Sequence[str], span: Span, workplace: str, take: c.Callable[[bytes], object]
) -> None:
    # Without the defaults: a client's setting that this program does not know would be its end.
    command = [words.program, "--no-defaults", *options, f"--start-position={span.start}"]
    command += [f"--stop-position={span.end}"] if span.end is not None else []
    try:
        process = subprocess.Popen(
            [*command, os.path.join(workplace, span.log)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except FileNotFoundError as exc:
        raise ExtractionFailedError(
            f"{words.program} is not installed. What to do: install the package {words.package}, then run this again"
        ) from exc
    with process:
        for line in t.cast("t.IO[bytes]", process.stdout):
            take(line)
        complaint = t.cast("t.IO[bytes]", process.stderr).read().decode(errors="replace").strip()
    if process.returncode:
        raise ExtractionFailedError(
            f"{words.program} cannot read {span.log}: {complaint[-500:]}. Nothing was changed on the server"
        )


def _insist_on_all(finding: _Finding, path: str) -> None:
    pattern = re.compile(finding.words.gtid.encode())
    with open(path, "rb") as stream:
        written = {found[1].decode() for line in stream if (found := pattern.search(line))}
    left_out = [str(mark.gtid) for mark in finding.marks if str(mark.gtid) not in written]
    if left_out:
        raise ExtractionFailedError(
            f"{finding.words.program} has left out {len(left_out)} transactions, {left_out[0]} among them. Nothing was "
            "changed on the server"
        )


def _with_files(manifest: Manifest, workplace: str, names: c.Iterable[str]) -> Manifest:
    paths = {name: os.path.join(workplace, name) for name in names}
    files = [
        SavedFile(name=name, size=os.path.getsize(path), sha256=_fingerprint(path) or "")
        for name, path in paths.items()
    ]
    return dataclasses.replace(manifest, files=tuple(files))


def _copy(source: str, target: str) -> None:
    with open(source, "rb") as original, _created(target) as copy:
        shutil.copyfileobj(original, copy, _PIECE)


def _created(path: str) -> t.IO[bytes]:
    """Open a file that only root may read, from its first moment: it holds users' rows."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _discard(path: str) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path)


def _fingerprint(path: str) -> str | None:
    whole = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while piece := stream.read(_PIECE):
                whole.update(piece)
    except FileNotFoundError:
        return None
    return whole.hexdigest()


__all__ = ("READABLE", "REPLAYABLE", "Saved", "save")
