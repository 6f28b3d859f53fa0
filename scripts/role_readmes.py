#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write each role's variables into its README, from its argument_specs.yml; --check only says what differs."""

from __future__ import annotations

import math
import re
import sys
import typing as t
from pathlib import Path

import yaml

ROLES = Path(__file__).resolve().parent.parent / "roles"
START, END = "<!-- variables: written by scripts/role_readmes.py -->", "<!-- end of variables -->"


def prose(description: str | list[str]) -> str:
    text = " ".join([description] if isinstance(description, str) else description)
    return re.sub(r"\b[OVCM]\(([^)]*)\)", r"`\1`", " ".join(text.split()))


def rows(options: t.Mapping[str, t.Any], prefix: str = "") -> t.Iterator[str]:
    for name, option in options.items():
        default = (
            "**required**"
            if option.get("required")
            else f"`{yaml.safe_dump(option.get('default'), default_flow_style=True, width=math.inf).splitlines()[0]}`"
        )
        choices = f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}." if "choices" in option else ""
        yield f"| `{prefix}{name}` | {option['type']} | {default} | {prose(option['description'])}{choices} |"
        yield from rows(option.get("options", {}), prefix=f"{prefix}{name}[].")


def variables(specs: t.Mapping[str, t.Any]) -> str:
    blocks = []
    for entry, spec in specs["argument_specs"].items():
        title = "" if entry == "main" else f"\nWith `tasks_from: {entry}` ({prose(spec['short_description'])}):\n\n"
        table = "\n".join(rows(spec["options"]))
        blocks.append(f"{title}| Variable | Type | Default | What it decides |\n|---|---|---|---|\n{table}\n")
    return f"{START}\n{''.join(blocks)}{END}"


def main() -> None:
    stale = []
    for role in sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml")):
        readme = role / "README.md"
        text = readme.read_text()
        wanted = variables(yaml.safe_load((role / "meta" / "argument_specs.yml").read_text()))
        new = re.sub(
            f"{re.escape(START)}.*{re.escape(END)}", lambda _match, wanted=wanted: wanted, text, flags=re.DOTALL
        )
        if new != text:
            stale.append(str(readme.relative_to(ROLES.parent)))
            if "--check" not in sys.argv:
                readme.write_text(new)
    if "--check" in sys.argv and stale:
        sys.exit(f"Out of date, run scripts/role_readmes.py: {', '.join(stale)}")


if __name__ == "__main__":
    main()
