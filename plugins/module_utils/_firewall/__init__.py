# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a firewall lets in against what it should let in: values and decisions, without a system."""
