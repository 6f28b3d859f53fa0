# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.application_check import check_application

ADDRESS = "https://example.com/wiki.tar.gz"


@pytest.mark.parametrize(
    "application",
    [
        {"source": "/srv/wiki"},
        {"source": "https://example.com/wiki.git", "ref": "main"},
        {"source": ADDRESS, "checksum": "a" * 64},
        {"source": ADDRESS, "checksum": f"sha256:{'A' * 64}"},
        {},
    ],
    ids=["a directory", "a repository", "an archive", "its algorithm named", "none"],
)
def test_a_source_of_which_a_release_can_be_made_is_no_finding(application):
    assert check_application(application) == []


@pytest.mark.parametrize(
    ("checksum", "words"), [(None, "has no checksum"), ("md5:abc", "'md5:abc' is no SHA-256")], ids=["none", "another"]
)
def test_what_comes_from_a_network_needs_its_checksum(checksum, words):
    (found,) = check_application({"source": ADDRESS, "checksum": checksum})
    assert (found.where, words in found.what) == ("webinfra_app", True)


def test_a_hook_has_to_be_there(tmp_path):
    (tmp_path / "smoke_test.yml").write_text("[]")
    there, missing = str(tmp_path / "smoke_test.yml"), str(tmp_path / "smoke_tset.yml")
    (found,) = check_application({"hooks": {"before_switch": there, "after_switch": missing}})
    assert found.what == f"hooks.after_switch: there is no file {missing} on the controller"


def test_a_hook_is_named_by_its_whole_path():
    (found,) = check_application({"hooks": {"after_deploy": "hooks/tell.yml"}})
    assert "by its whole path" in found.remedy
