# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What a balancer should do with requests, and what it did. Standard library only."""
