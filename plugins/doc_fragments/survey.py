# Copyright: (c) the webinfra.stack authors
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """What was seen of a host earlier in the same run."""

    DOCUMENTATION = r"""
options:
  survey:
    description:
      - What M(webinfra.stack.host_survey) has just seen of this host, RV(webinfra.stack.host_survey#module:seen)
        with its C(fingerprint_key). Where that shows that nothing is to be done, the host is not asked again.
      - Give it only what was seen earlier in the same run, and nothing when packages were installed since.
        Without it the host is always asked.
    type: dict
"""
