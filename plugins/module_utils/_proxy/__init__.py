# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""A balancer that runs on this host: its socket, its connections, its log."""
