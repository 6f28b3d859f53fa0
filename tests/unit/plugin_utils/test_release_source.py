# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import http.server
import os
import subprocess
import tarfile
import threading

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.directory_digest import directory_digest
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_archive import size_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.release_source import ReleaseSourceError, settle


@pytest.fixture
def app(tmp_path):
    root = tmp_path / "app"
    (root / "package" / "__pycache__").mkdir(parents=True)
    (root / "package" / "__pycache__" / "a.pyc").write_text("cache")
    (root / "package" / "a.py").write_text("a = 1\n")
    (root / "run").write_text("#!/bin/sh\n")
    (root / "run").chmod(0o700)
    (root / "link").symlink_to("run")
    return root


@pytest.fixture
def pack(tmp_path):
    """Pack a source; return what is in the archive, by name: kind or content, and mode."""

    def pack(settled, folder="packed"):
        with tarfile.open(settled.pack(str(tmp_path / folder), "app")) as archive:
            members = archive.getmembers()
            assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, 0)}
            return {
                member.name: (member.linkname or archive.extractfile(member).read(), member.mode) for member in members
            }

    return pack


CONTENT = {"link": ("run", 0o755), "package/a.py": (b"a = 1\n", 0o644), "run": (b"#!/bin/sh\n", 0o755)}


def tarball(app, path, top="app-1.0"):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(app, arcname=top, filter=lambda member: None if "__pycache__" in member.name else member)
    return path


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(app):
    git(app, "init", "--quiet", "--initial-branch=main")
    git(app, "add", "link", "run", "package/a.py")
    git(app, "commit", "--quiet", "--message=first")
    git(app, "tag", "--annotate", "--message=one", "v1")
    return app


def test_a_directory_is_called_by_its_content(app, pack):
    settled = settle(str(app))
    assert (settled.release, settled.revision) == (directory_digest(str(app)), "")
    assert pack(settled) == CONTENT


def test_the_same_content_becomes_the_same_bytes(app, tmp_path):
    first = settle(str(app)).pack(str(tmp_path / "first"), "app").read_bytes()
    os.utime(app / "run", (1, 1))
    assert settle(str(app)).pack(str(tmp_path / "second"), "app").read_bytes() == first


def test_it_is_packed_once(app, tmp_path):
    path = settle(str(app)).pack(str(tmp_path / "packed"), "app")
    path.write_bytes(b"packed before")
    assert settle(str(app)).pack(str(tmp_path / "packed"), "app").read_bytes() == b"packed before"


def test_a_release_on_the_controller_is_for_its_owner_alone(app, tmp_path):
    assert settle(str(app)).pack(str(tmp_path / "packed"), "app").stat().st_mode & 0o777 == 0o600


def test_it_is_known_how_much_an_archive_becomes(app, tmp_path):
    size = size_of(settle(str(app)).pack(str(tmp_path / "packed"), "app"))
    assert (size.bytes, size.files) == (16, 3)


@pytest.mark.parametrize("top", ["app-1.0", "."], ids=["in a directory", "bare"])
def test_an_archive_is_taken_without_the_directory_around_it(app, pack, tmp_path, top):
    path = tarball(app, tmp_path / "app.tar.gz", top)
    settled = settle(str(path))
    assert settled.revision == hashlib.sha256(path.read_bytes()).hexdigest()
    assert settled.release == settled.revision[:12]
    assert pack(settled) == CONTENT


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside"])
def test_an_archive_that_would_leave_the_release_is_refused(tmp_path, name):
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
        archive.addfile(tarfile.TarInfo("harmless"))
    with pytest.raises(ReleaseSourceError, match="outside of the release"):
        settle(str(path)).pack(str(tmp_path / "packed"), "app")
    assert [found.name for found in (tmp_path / "packed").iterdir()] == [".packing"]


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "app.zip").write_text("PK")
    with pytest.raises(ReleaseSourceError, match="cannot be read as a tar archive"):
        settle(str(tmp_path / "app.zip")).pack(str(tmp_path / "packed"), "app")


@pytest.mark.parametrize("ref", ["main", "v1"], ids=["a branch", "an annotated tag"])
def test_a_ref_is_recorded_as_the_commit_that_it_is(repository, pack, ref):
    settled = settle(str(repository), ref=ref)
    assert settled.revision == git(repository, "rev-parse", "HEAD")
    assert settled.release == settled.revision[:12]
    assert pack(settled) == CONTENT


def test_a_commit_can_be_older_than_every_ref(repository, pack):
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "--delete", "v1")
    git(repository, "rm", "--quiet", "link")
    git(repository, "commit", "--quiet", "--message=second")
    assert pack(settle(str(repository), ref=first)) == CONTENT
    assert "link" not in pack(settle(str(repository), ref="main"), "second")


@pytest.mark.parametrize(
    ("location", "options", "words"),
    [
        ("/nowhere", {}, "neither a directory nor an archive"),
        ("https://example.com/app.tar.gz", {}, "needs the SHA-256"),
        ("https://example.com/app.tar.gz", {"checksum": "abc"}, "needs the SHA-256"),
        ("/nowhere", {"ref": "main"}, "git has failed"),
    ],
)
def test_a_source_that_is_none_is_refused(location, options, words):
    with pytest.raises(ReleaseSourceError, match=words):
        settle(location, **options)


def test_a_ref_that_is_not_there_is_refused(repository):
    with pytest.raises(ReleaseSourceError, match="has no branch or tag v9"):
        settle(str(repository), ref="v9")


@pytest.fixture
def url(app, tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    tarball(app, folder / "app.tar.gz")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, *_args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield (
            f"http://127.0.0.1:{server.server_port}/app.tar.gz",
            hashlib.sha256((folder / "app.tar.gz").read_bytes()).hexdigest(),
        )
        server.shutdown()


def test_an_archive_comes_from_a_web_address(url, pack):
    location, checksum = url
    settled = settle(location, checksum=f"sha256:{checksum}")
    assert (settled.release, settled.revision) == (checksum[:12], checksum)
    assert pack(settled) == CONTENT


def test_another_archive_than_was_expected_is_refused(url, tmp_path):
    settled = settle(url[0], checksum="0" * 64)
    with pytest.raises(ReleaseSourceError, match="not what was expected"):
        settled.pack(str(tmp_path / "packed"), "app")


def test_an_address_that_does_not_answer_is_said(url, tmp_path):
    settled = settle(url[0] + ".gone", checksum="0" * 64)
    with pytest.raises(ReleaseSourceError, match="cannot be fetched"):
        settled.pack(str(tmp_path / "packed"), "app")
