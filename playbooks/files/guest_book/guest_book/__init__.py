# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest book on two database endpoints: one that takes writes, one that is read from."""
