# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
