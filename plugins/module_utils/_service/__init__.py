# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a unit should run with against what it runs with: values and decisions, without a system."""
