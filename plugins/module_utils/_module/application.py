# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What the module app_release was asked for, against what this host has."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._release.record import Release, checked_name
from .audit import append_line, audit_line
from .host import read, write_at_once
from .releases import Home, Packed, ReleaseError
from .switching import RunningUnit, restart, switch

if t.TYPE_CHECKING:
    import collections.abc as c

    from ansible.module_utils.basic import AnsibleModule

    from .._release.record import Shelf


def converge(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the module's result."""
    options = module.params
    name = checked_name(options["release"])
    home = Home(module, options["name"], options["home"])
    # What a killed run has left running here comes to its end first.
    with home.locked():
        return _converged(module, home, name)


def _converged(module: AnsibleModule, home: Home, name: str) -> dict[str, t.Any]:
    options = module.params
    before = home.look()
    if options["state"] == "current":
        steps = _switch(module, home, before, name)
    elif options["state"] == "initial" and before.current:
        steps = {}
    else:
        steps = _provide(module, home, before, name)
    after = before if module.check_mode else home.look()
    current = name if module.check_mode and steps.get("switched") else after.current
    return {
        "changed": any(steps.values()),
        "release": name,
        "directory": home.directory(name),
        "current": current,
        "running": current == name and not _unit(module).complaint(name),
        "previous": before.current if module.check_mode and steps.get("switched") else after.previous,
        "migrated": bool(steps.get("migrated")),
        "removed": steps.get("removed", []),
        "missing": bool(steps.get("missing")),
        "diff": _difference(before, steps, name),
    }


def _provide(module: AnsibleModule, home: Home, shelf: Shelf, name: str) -> dict[str, t.Any]:
    options = module.params
    packed = Packed(
        path=options["archive"],
        content=options["encoded_archive"],
        unpacked_bytes=options["unpacked_bytes"],
        unpacked_files=options["unpacked_files"],
        packed_at=options["packed_at"],
    )
    wanted = not shelf.has(name)
    migrates = bool(options["migrate_command"]) and not home.migrated(name)
    steps = {"unpacked": wanted, "migrated": migrates, "missing": wanted and not packed.here}
    if steps["missing"] and not options["source"] and not module.check_mode:
        raise ReleaseError(_not_there(home, shelf, name))
    if module.check_mode or steps["missing"]:
        return steps
    home.ensure_user()
    if wanted:
        home.ensure_room(packed)
        home.unpack(_release(options, name), packed, options["build"])
    if migrates:
        _write(options["files"])
        told = {**options["environment"], **options["secret_environment"]}
        home.migrate(name, options["migrate_command"], {key: str(value) for key, value in told.items()})
    return steps


def _switch(module: AnsibleModule, home: Home, shelf: Shelf, name: str) -> dict[str, t.Any]:
    options = module.params
    # In check mode the release is only predicted.
    if not shelf.has(name) and not module.check_mode:
        raise ReleaseError(_not_there(home, shelf, name))
    unit = _unit(module)
    # The link alone does not say what runs: a run may have been killed between the two.
    runs = shelf.current == name and not unit.complaint(name)
    steps = {"switched": shelf.current != name, "restarted": not runs or options["restart"]}
    if not module.check_mode:
        # One that is current already and does not answer may never have run here: then there is a way back.
        try:
            if shelf.current == name and (runs or options["restart"] or not shelf.previous):
                if steps["restarted"]:
                    restart(home, unit, name)
            else:
                switch(home, shelf, unit, name)
        except ReleaseError as exc:
            _write_down(options, str(exc).splitlines()[0])
            raise
        if any(steps.values()):
            _write_down(options, f"{home.name} runs {name}, before it {shelf.current or 'nothing'}")
    shown = shelf if module.check_mode else home.look()
    surplus = list(shown.surplus(options["keep"]))
    if not module.check_mode:
        home.remove(surplus)
    return {**steps, "removed": surplus}


def _write_down(options: c.Mapping[str, t.Any], outcome: str) -> None:
    """Say on the host what was done to it, also where the one who asked for it is gone meanwhile."""
    if options["audit_log"]:
        words = {"verb": options["verb"], "requested_by": options["requested_by"] or None, "outcome": outcome}
        line = audit_line({**words, "reason": options["reason"] or None}, dt.datetime.now(dt.timezone.utc))
        append_line(options["audit_log"], line)


def _unit(module: AnsibleModule) -> RunningUnit:
    options = module.params
    return RunningUnit(
        module=module,
        unit=options["unit"] or f"{options['name']}.service",
        health_url=options["health_url"],
        header=options["release_header"],
        seconds=options["health_timeout"],
    )


def _not_there(home: Home, shelf: Shelf, name: str) -> str:
    present = ", ".join(release.id for release in shelf.releases)
    return f"There is no release {name} in {home.path} on this host; it has {present or 'none'}. Nothing was changed"


def _release(options: c.Mapping[str, t.Any], name: str) -> Release:
    return Release(id=name, source=options["source"] or "", revision=options["revision"], by=options["requested_by"])


def _write(files: c.Iterable[c.Mapping[str, str]]) -> None:
    for file in files:
        content = file["content"].encode()
        if read(file["path"]) != content:
            write_at_once(file["path"], content, mode=0o644, owner=0, group=0)


def _difference(before: Shelf, steps: c.Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    present = [release.id for release in before.releases]
    removed = steps.get("removed", [])
    added = [name] if steps.get("unpacked") and name not in present else []
    current = name if steps.get("switched") else before.current
    return {
        "before": {"current": before.current, "releases": sorted([*present, *before.incomplete])},
        "after": {
            "current": current,
            "releases": sorted(each for each in [*present, *before.incomplete, *added] if each not in removed),
            **({"migrated": name} if steps.get("migrated") else {}),
        },
    }


__all__ = ("converge",)
