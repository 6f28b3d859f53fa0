# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import re
import shutil

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.directory_digest import (
    DirectoryDigestError,
    directory_digest,
)


@pytest.fixture
def release(tmp_path):
    root = tmp_path / "release"
    (root / "static").mkdir(parents=True)
    (root / "app.py").write_text("app\n")
    (root / "static" / "style.css").write_text("body {}\n")
    return root


def test_a_digest_is_twelve_digits(release):
    assert re.fullmatch(r"[0-9a-f]{12}", directory_digest(str(release)))


def test_a_copy_elsewhere_has_the_same_digest(release, tmp_path):
    copy = shutil.copytree(release, tmp_path / "copy")
    (copy / "app.py").chmod(0o600)
    os.utime(copy / "app.py", (0, 0))
    assert directory_digest(str(copy)) == directory_digest(f"{release}/")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "app.py").write_text("other\n"),
        lambda root: (root / "app.py").rename(root / "main.py"),
        lambda root: (root / "app.py").chmod(0o755),
        lambda root: (root / "new").touch(),
        lambda root: (root / "static" / "style.css").unlink(),
        lambda root: (root / "link").symlink_to("app.py"),
        lambda root: (root / "link").symlink_to("static"),
    ],
    ids=["content", "name", "execute bit", "new file", "removed file", "link", "link to a directory"],
)
def test_a_change_of_the_release_changes_the_digest(release, change):
    before = directory_digest(str(release))
    change(release)
    assert directory_digest(str(release)) != before


@pytest.mark.parametrize("name", ["__pycache__/app.cpython-311.pyc", "static/old.pyc"])
def test_what_python_caches_does_not_count(release, name):
    before = directory_digest(str(release))
    (release / name).parent.mkdir(exist_ok=True)
    (release / name).write_bytes(b"cached")
    assert directory_digest(str(release)) == before


def test_contents_do_not_run_into_names(tmp_path):
    for name, files in {"one": {"a": "1", "b": "2"}, "two": {"a": "1bfile2"}}.items():
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_text(content)
    assert directory_digest(str(tmp_path / "one")) != directory_digest(str(tmp_path / "two"))


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(DirectoryDigestError, match=r"nowhere is not a directory on the controller"):
        directory_digest(str(tmp_path / "nowhere"))


def test_a_broken_link_does_not_stop_it(release):
    (release / "link").symlink_to("nowhere")
    assert directory_digest(str(release))
