#!/usr/bin/env python3
# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make Prometheus' live pages and Grafana's dashboards from one list of panels; --check only says what differs."""

from __future__ import annotations

import html
import json
import sys
import typing as t
import urllib.parse
from pathlib import Path

import yaml

FILES = Path(__file__).resolve().parent.parent / "roles" / "monitoring" / "files"
PANELS = FILES / "panels.yml"
COLUMNS, HEIGHT = 3, 7
GRAFANA_WIDTH = 24
GRAFANA_UNITS = {
    "flag": "bool_yes_no",
    "choice": "bool_yes_no",
    "number": "short",
    "rate": "reqps",
    "ratio": "percentunit",
    "seconds": "s",
    "bytes": "bytes",
}
SHOWN = {
    "flag": '{{ if eq .Value 1.0 }}<b class="yes">yes</b>{{ else }}<b class="no">no</b>{{ end }}',
    "choice": "{{ if eq .Value 1.0 }}yes{{ else }}no{{ end }}",
    "number": '{{ if gt .Value 1000.0 }}{{ humanize .Value }}{{ else }}{{ printf "%.3g" .Value }}{{ end }}',
    "rate": '{{ if gt .Value 1000.0 }}{{ humanize .Value }}{{ else }}{{ printf "%.1f" .Value }}{{ end }}/s',
    "ratio": "{{ humanizePercentage .Value }}",
    "seconds": "{{ humanizeDuration .Value }}",
    "bytes": "{{ humanize1024 .Value }}B",
}
STYLE = """\
:root { color-scheme: light dark; --ink: #1d2433; --paper: #f6f7f9; --card: #fff; --line: #d9dde5; --soft: #5a6478;
  --yes: #14713a; --no: #b3261e; --warning: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --paper: #14171f; --card: #1d212c; --line: #353c4d;
  --soft: #a2abbf; --yes: #6fce93; --no: #ff8a80; --warning: #f2c063; } }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .2rem 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .6rem; }
h3 { font-size: .85rem; margin: 0 0 .4rem; font-weight: 600; color: var(--soft); }
a { color: inherit; } h3 a { text-decoration: none; }
.cards { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
.card, .alert { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.alert { border-left: 5px solid var(--warning); margin: .5rem 0; } .alert.critical { border-left-color: var(--no); }
table { border-collapse: collapse; width: 100%; } td { padding: .1rem 0; overflow-wrap: anywhere; vertical-align: top; }
td + td { text-align: right; padding-left: 1rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.yes { color: var(--yes); } .no { color: var(--no); } .soft { color: var(--soft); } .well { color: var(--yes); }
"""
VERDICT = """\
{{ $firing := query "ALERTS{alertstate='firing', severity!='info'}" }}
{{ if $firing }}{{ range $firing | sortByLabel "severity" }}
<p class="alert {{ .Labels.severity }}"><b>{{ .Labels.alertname }}</b>
{{ range $name, $value := .Labels }}{{ if or (eq $name "host") (eq $name "server") (eq $name "instance") \
(eq $name "address") (eq $name "unit") (eq $name "mountpoint") (eq $name "name") }} · {{ $name }} {{ $value }}\
{{ end }}{{ end }}
<span class="soft">({{ .Labels.severity }})</span></p>
{{ end }}{{ else }}<p class="well"><b>No alert is firing.</b></p>{{ end }}
"""

Panel = t.Mapping[str, t.Any]
Page = t.Mapping[str, t.Any]


def console(name: str, page: Page) -> str:
    """Write a template that Prometheus renders."""
    about_host = name == "host"
    title = "{{ .Params.host }}" if about_host else page["title"]
    head = '{{ $host := .Params.host }}<p><a href="stack.html">The stack</a></p>' if about_host else ""
    sections = "".join(
        f'<h2>{html.escape(section["title"])}</h2>\n<div class="cards">\n'
        + "".join(card(panel) for panel in section["panels"])
        + "</div>\n"
        for section in page["sections"]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="refresh" content="15">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{head}\n<h1>{title}</h1>\n"
        f'{"" if about_host else VERDICT}{sections}<p class="soft"><a href="../alerts">Alerts</a> · '
        '<a href="../targets">Targets</a> · this page renews itself</p>\n</body>\n</html>\n'
    )


def card(panel: Panel) -> str:
    """Write one panel: a row a series; its title leads to the history."""
    history = f"../graph?g0.tab=0&g0.expr={urllib.parse.quote(panel['query'])}"
    title = html.escape(panel["title"])
    if "$host" not in panel["query"]:
        query = json.dumps(panel["query"])
        title = f'<a href="{html.escape(history)}">{title}</a>'
    else:
        words = panel["query"].replace("%", "%%").replace('"$host"', "%[1]q")
        query = f"(printf {json.dumps(words)} $host)"
    labels = " · ".join(row_label(label) for label in panel["by"])
    rows = (
        f"{{{{ range query {query} | sortByLabel {json.dumps(panel['by'][-1])} }}}}"
        f"<tr><td>{labels}</td><td>{SHOWN[panel['unit']]}</td></tr>\n"
        '{{ else }}<tr><td class="soft">no figures</td><td></td></tr>\n{{ end }}'
    )
    written = f'<div class="card"><h3>{title}</h3><table>\n{rows}</table></div>\n'
    # What the other balancer cannot say is left out.
    return f"{{{{ if query {query} }}}}{written}{{{{ end }}}}" if "only" in panel else written


def row_label(label: str) -> str:
    value = f"{{{{ .Labels.{label} }}}}"
    return f'<a href="host.html?host={value}">{value}</a>' if label == "host" else value


def dashboard(name: str, page: Page) -> str:
    """Write a dashboard for Grafana, without an id, so that an import makes a new one."""
    panels: list[dict[str, t.Any]] = []
    line = 0
    for section in page["sections"]:
        panels.append(
            {"type": "row", "title": section["title"], "collapsed": False, "gridPos": place(0, line, GRAFANA_WIDTH, 1)}
        )
        line += 1
        width = GRAFANA_WIDTH // COLUMNS
        for number, panel in enumerate(section["panels"]):
            column, row = number % COLUMNS, number // COLUMNS
            panels.append(graph(panel, place(column * width, line + row * HEIGHT, width, HEIGHT)))
        line += -(-len(section["panels"]) // COLUMNS) * HEIGHT
    for number, each in enumerate(panels, 1):
        each["id"] = number
    variables = [source_variable()] + ([host_variable()] if name == "host" else [])
    document = {
        "title": f"webinfra: {page['title'].lower()}",
        "uid": f"webinfra-{name}",
        "tags": ["webinfra"],
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": variables},
        "panels": panels,
    }
    return json.dumps(document, indent=2) + "\n"


def place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def graph(panel: Panel, position: dict[str, int]) -> dict[str, t.Any]:
    legend = " ".join(f"{{{{{label}}}}}" for label in panel["by"])
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "type": "timeseries",
        "title": panel["title"],
        "datasource": source,
        "gridPos": position,
        "fieldConfig": {"defaults": {"unit": GRAFANA_UNITS[panel["unit"]], "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "datasource": source, "expr": panel["query"], "legendFormat": legend}],
    }


def source_variable() -> dict[str, t.Any]:
    return {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def host_variable() -> dict[str, t.Any]:
    return {
        "name": "host",
        "type": "query",
        "label": "Host",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": 'label_values(up{job="node"}, host)',
        "refresh": 2,
    }


def pages() -> dict[Path, str]:
    """Return what each file has to contain."""
    wanted = {}
    for name, page in yaml.safe_load(PANELS.read_text()).items():
        wanted[FILES / "consoles" / f"{name}.html"] = console(name, page)
        wanted[FILES / "grafana" / f"{name}.json"] = dashboard(name, page)
    return wanted


def main() -> int:
    stale = {path: text for path, text in pages().items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        print(path.relative_to(FILES))
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
