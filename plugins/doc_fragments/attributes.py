# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that every module of this collection states."""

from __future__ import annotations


class ModuleDocFragment:
    """Descriptions; whether a module supports one of them stands in the module."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return the changed status without changing the target.
  diff_mode:
    description: Returns what has changed, or would have to change, when in diff mode.
  platform:
    description: Target platform on which the module works.
"""
