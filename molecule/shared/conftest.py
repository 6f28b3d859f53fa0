# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import functools
import typing as t

import pytest

from ansible_collections.webinfra.stack.molecule.shared.scenario import Scenario
from ansible_collections.webinfra.stack.tests import waiting


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return Scenario()


@pytest.fixture(scope="session")
def eventually() -> t.Callable[..., t.Any]:
    return functools.partial(waiting.eventually, seconds=30)
