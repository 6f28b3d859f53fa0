# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime as dt
import json
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_journal import (
    Journal,
    MalformedJournalError,
    read_journal,
)
from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_table import table_lines
from ansible_collections.webinfra.stack.plugins.plugin_utils.drill_verdict import Check, Drill, Evidence, Verdict, judge
from ansible_collections.webinfra.stack.plugins.plugin_utils.whole_file import replace_file

if t.TYPE_CHECKING:
    import collections.abc as c

OPTIONS: dict[str, t.Any] = {
    "fault": {"type": "str", "required": True},
    "engine": {"type": "str", "required": True, "choices": ["mariadb", "mysql"]},
    "durability": {"type": "str", "required": True, "choices": ["no_loss", "available", "async"]},
    "loss_expected": {"type": "bool", "default": False},
    "goals_required": {"type": "bool", "default": False},
    "journals": {"type": "list", "elements": "path", "required": True},
    "rows": {"type": "dict", "required": True},
    "open_servers": {"type": "list", "elements": "str", "required": True},
    "kept_primary": {"type": "str"},
    "checks": {"type": "dict", "default": {}},
    "moment": {"type": "float"},
    "verb": {"type": "dict", "default": {}},
    "reseeded": {"type": "int"},
    "path": {"type": "path"},
}


class ActionModule(ActionBase):
    """Judge a drill, print its table, and fail where something must not be."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, options = self.validate_argument_spec(argument_spec=OPTIONS)  # type: ignore[no-untyped-call]
        drill = Drill(**{name: options[name] for name in ("fault", "engine", "durability", "loss_expected")})
        verdict = judge(drill, _evidence(options))
        lines = table_lines(drill, verdict)
        self._display.display("\n" + "\n".join(lines) + "\n")
        if options["path"]:
            _append(Path(options["path"]), _as_record(drill, verdict, options["verb"]))
        wrong = verdict.failures + (verdict.missed if options["goals_required"] else ())
        figures = {"figures": dataclasses.asdict(verdict.figures), "lines": lines}
        told = {"failures": list(verdict.failures), "missed": list(verdict.missed)}
        failure = {"failed": True, "msg": f"The drill {drill.fault} has failed: {'; '.join(wrong)}"} if wrong else {}
        return {**result, "changed": bool(options["path"]), **figures, **told, **failure}


def _evidence(options: c.Mapping[str, t.Any]) -> Evidence:
    moved = options["verb"].get("result") or {}
    steps = moved.get("steps") or []
    return Evidence(
        journals=tuple(_journal(path) for path in options["journals"]),
        rows={server: _numbers(path) for server, path in options["rows"].items()},
        open_servers=tuple(options["open_servers"]),
        kept_primary=options["kept_primary"],
        checks=tuple(_check(name, run) for name, run in options["checks"].items()),
        moment=options["moment"],
        writes_closed_ms=moved.get("writes_closed_ms"),
        reseeded=options["reseeded"],
        moved_ms=max((step["at_ms"] + step["took_ms"] for step in steps), default=None),
    )


def _check(name: str, run: c.Mapping[str, t.Any]) -> Check:
    return Check(
        name=name,
        succeeded=run["code"] == 0,
        changes=tuple(run["changes"]),
        complaints=tuple(run["complaints"]),
    )


def _journal(path: str) -> Journal:
    try:
        with Path(path).open(encoding="utf-8") as stream:
            return read_journal(stream)
    except (OSError, MalformedJournalError) as exc:
        raise AnsibleActionFail(f"{path} cannot be read: {exc}") from exc


def _numbers(path: str) -> list[int]:
    try:
        return [int(line) for line in Path(path).read_text(encoding="utf-8").split()]
    except (OSError, ValueError) as exc:
        raise AnsibleActionFail(f"{path} is no list of rows: {exc}") from exc


def _as_record(drill: Drill, verdict: Verdict, verb: c.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "at": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        **dataclasses.asdict(drill),
        "passed": not verdict.failures,
        "verb_seconds": verb.get("seconds"),
        **dataclasses.asdict(verdict),
    }


def _append(path: Path, record: dict[str, t.Any]) -> None:
    """Add a drill to the list in the file; it is replaced as a whole, so it is never half a list."""
    try:
        records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, f"{json.dumps([*records, record], indent=2)}\n".encode())
    except (OSError, ValueError) as exc:
        raise AnsibleActionFail(f"The drill cannot be added to {path}: {exc}") from exc
