# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Metrics as the text that Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats/"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    import collections.abc as c

Sample = tuple[dict[str, str], float]
"""Labels and a value."""


def family(name: str, words: str, samples: c.Iterable[Sample]) -> str:
    """Write a gauge with all its samples; nothing where there are none."""
    rows = [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
    return "\n".join([f"# HELP {name} {words}", f"# TYPE {name} gauge", *rows]) + "\n" if rows else ""


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return f"{float(value):.15g}"


__all__ = ("Sample", "family")
