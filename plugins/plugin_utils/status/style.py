# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page looks. Text has a contrast of 4.5 on what it is read on, a line one of 3; tests compute that."""

from __future__ import annotations

import typing as t

LIGHT = {
    "ground": "#f4f6f8",
    "surface": "#ffffff",
    "ink": "#18212b",
    "quiet": "#586472",
    "line": "#dce2e8",
    "flow": "#6794cd",
    "well": "#177245",
    "warning": "#8a5200",
    "critical": "#b3261e",
    "well-tint": "#e9f5ee",
    "warning-tint": "#fdf2df",
    "critical-tint": "#fdebe9",
}
DARK = {
    "ground": "#0e1318",
    "surface": "#161d24",
    "ink": "#e5ebf1",
    "quiet": "#9ba8b5",
    "line": "#2a343e",
    "flow": "#5079b2",
    "well": "#5fc792",
    "warning": "#e6b05a",
    "critical": "#ff8d83",
    "well-tint": "#14261d",
    "warning-tint": "#2b2314",
    "critical-tint": "#331c1b",
}
READ_ON = {
    "ink": ("ground", "surface", "well-tint", "warning-tint", "critical-tint"),
    "quiet": ("ground", "surface", "well-tint", "warning-tint", "critical-tint"),
    "well": ("surface", "well-tint"),
    "warning": ("ground", "surface", "warning-tint"),
    "critical": ("ground", "surface", "critical-tint"),
}
"""Which inks are read on which grounds."""

_RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1240px;margin:0 auto;padding:40px 24px 56px}
h1,h2,h3,p,ul,dl,dd{margin:0;padding:0}
.over{color:var(--quiet);font-size:13px;display:flex;flex-wrap:wrap;gap:4px 16px;overflow-wrap:anywhere}
.verdict{margin-top:12px;padding:20px 24px;border-radius:14px;border:1px solid;
display:flex;gap:14px;align-items:flex-start}
.verdict .sign{flex:none;margin-top:8px}
.verdict h1{font-size:18px;line-height:1.45;font-weight:400;overflow-wrap:anywhere;min-width:0}
.verdict h1 b{display:block;font-size:24px;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin-bottom:2px}
.verdict h1 b span{font-size:0}
.verdict.well{background:var(--well-tint);border-color:var(--well)}
.verdict.warning{background:var(--warning-tint);border-color:var(--warning)}
.verdict.critical{background:var(--critical-tint);border-color:var(--critical)}
.sign.well{fill:var(--well)}.sign.warning{fill:var(--warning)}.sign.critical{fill:var(--critical)}
section{margin-top:36px}
h2{font-size:13px;font-weight:600;color:var(--quiet);margin-bottom:12px}
h2 .mark{margin-left:10px}
.mark{color:var(--critical);font-weight:600}
.panel{background:var(--surface);border:1px solid var(--line);border-radius:14px}
.rows{list-style:none}
.rows li{padding:12px 20px;font-size:14px;display:grid;gap:2px 14px;align-items:baseline;
grid-template-columns:14px minmax(0,140px) minmax(0,5fr) minmax(0,4fr)}
.rows li+li{border-top:1px solid var(--line)}
.rows .who{font-weight:600;overflow-wrap:anywhere}
.rows .what{overflow-wrap:anywhere}
.rows .remedy{color:var(--quiet);overflow-wrap:anywhere}
.stage{padding:24px}
.picture{display:block;max-width:100%;height:auto;margin:0 auto;font-size:12px}
.narrow{display:none}
.picture text{fill:var(--ink)}
.picture .name{font-size:13.5px;font-weight:600}
.picture .note,.picture .heading{font-size:12px;fill:var(--quiet)}
.picture .heading{font-weight:600}
.picture .corner{font-size:12px;font-weight:600}
.picture .mark{font-size:11px;fill:var(--critical)}
.picture .figure{font-size:12px;paint-order:stroke;stroke:var(--surface);stroke-width:4px;stroke-linejoin:round}
.node rect{fill:var(--surface);stroke:var(--line);stroke-width:1.5}
.node.warning rect{stroke:var(--warning);fill:var(--warning-tint)}
.node.critical rect{stroke:var(--critical);fill:var(--critical-tint)}
.node.absent rect{stroke-dasharray:5 4}
.node.outside rect{fill:var(--ground)}
.node .sign{fill:var(--well)}.node.warning .sign{fill:var(--warning)}.node.critical .sign{fill:var(--critical)}
.node.warning .note{fill:var(--warning);font-weight:600}.node.critical .note{fill:var(--critical);font-weight:600}
.globe{fill:none;stroke:var(--quiet);stroke-width:1.2}
.edge{fill:none;stroke:var(--flow);stroke-linejoin:round}
.edge.waiting{stroke:var(--quiet);stroke-dasharray:2 5;stroke-linecap:round}
.edge.broken{stroke:var(--critical);stroke-dasharray:6 5}
.legend{color:var(--quiet);font-size:12.5px;margin-top:20px;padding-top:14px;border-top:1px solid var(--line);
display:flex;flex-wrap:wrap;gap:4px 22px}
.legend span{display:inline-flex;align-items:center;gap:8px}
.tiers{display:flex;flex-wrap:wrap;gap:0 14px}
.tiers section{max-width:100%}
.cards{display:flex;flex-wrap:wrap;gap:14px}
.card{overflow:hidden;width:287px;max-width:100%}
.card header{padding:9px 16px;border-bottom:1px solid var(--line);
display:flex;gap:9px;align-items:center;font-weight:600;font-size:13.5px}
.card.well header{background:var(--well-tint);color:var(--well)}
.card.warning header{background:var(--warning-tint);color:var(--warning)}
.card.critical header{background:var(--critical-tint);color:var(--critical)}
.card header span{min-width:0;overflow-wrap:anywhere}
.card .body{padding:13px 16px 15px}
.card h3{font-size:16px;font-weight:650;line-height:1.3;overflow-wrap:anywhere}
.card .address{color:var(--quiet);font-size:13px;overflow-wrap:anywhere}
.card .reason{margin-top:10px;font-size:13.5px;overflow-wrap:anywhere}
dl{margin-top:11px;display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 16px;font-size:13.5px}
dt{color:var(--quiet)}
dd{text-align:right;overflow-wrap:anywhere}
dd.warning{color:var(--warning);font-weight:600}dd.critical{color:var(--critical);font-weight:600}
footer{margin-top:40px;color:var(--quiet);font-size:13px}
@media (max-width:760px){
main{padding:20px 16px 40px}
.verdict{padding:16px 18px}.verdict h1{font-size:16px}.verdict h1 b{font-size:20px}.verdict .sign{margin-top:6px}
.stage{padding:18px 11px}
.wide{display:none}.narrow{display:block}
.rows li{grid-template-columns:14px minmax(0,1fr);padding:12px 16px}
.rows .what,.rows .remedy{grid-column:2}
.tiers section,.card{width:100%}
}
"""


def _variables(palette: t.Mapping[str, str]) -> str:
    return ":root{" + ";".join(f"--{name}:{colour}" for name, colour in palette.items()) + "}"


STYLE = f"{_variables(LIGHT)}@media (prefers-color-scheme:dark){{{_variables(DARK)}}}{_RULES}"

__all__ = ("DARK", "LIGHT", "READ_ON", "STYLE")
