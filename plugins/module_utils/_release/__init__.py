# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""Releases of an application on one host: values and decisions, without a file system."""
