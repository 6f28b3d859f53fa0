# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What puts a certificate in a service's way, with real certificates below a root of its own; no service runs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "roles" / "certificate" / "files" / "serve_certificate.py"
NAMES = ["www.example.com", "example.com"]
DIRECTORY_URL = "https://acme.example/dir"
SETTINGS = {
    "acme": True,
    "names": NAMES,
    "unit": "no-such-unit-here.service",
    "check": ["true"],
    "textfile": "/textfile/certificate.prom",
    "directory_url": DIRECTORY_URL,
    "email": "",
    "key_type": "ecdsa",
    "address": "10.20.0.11",
    "port": 8888,
    "ca_bundle": "",
}

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")


@pytest.fixture(scope="module")
def program():
    specification = importlib.util.spec_from_file_location("serve_certificate", PROGRAM)
    module = importlib.util.module_from_spec(specification)
    sys.modules["serve_certificate"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path):
    for directory in (
        "etc/webinfra/certificate",
        "etc/letsencrypt/renewal",
        "etc/letsencrypt/live/webinfra",
        "textfile",
    ):
        (tmp_path / directory).mkdir(parents=True)
    put(tmp_path)
    (tmp_path / "etc/webinfra/certificate/given.pem").write_text("".join(issued(tmp_path, "given", *NAMES)))
    return tmp_path


def put(root, **changes):
    (root / "etc/webinfra/certificate/settings.json").write_text(json.dumps({**SETTINGS, **changes}))


def issued(root, stem, *names, days=2):
    """Return a certificate and its key."""
    key, certificate = root / f"{stem}.key", root / f"{stem}.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days)]
    words = ["-subj", "/CN=test", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *words, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    return certificate.read_text(), key.read_text()


def lineage(root, *names, server=DIRECTORY_URL, key_type="ecdsa"):
    """Let certbot have had one issued."""
    certificate, key = issued(root, "issued", *names)
    live = root / "etc/letsencrypt/live/webinfra"
    (live / "fullchain.pem").write_text(certificate)
    (live / "privkey.pem").write_text(key)
    text = f"version = 2.1.0\ncert = /x\n[renewalparams]\nkey_type = {key_type}\nserver = {server}\n[[webroot_map]]\n"
    (root / "etc/letsencrypt/renewal/webinfra.conf").write_text(text)
    return certificate


def served(root):
    return (root / "etc/webinfra/certificate/served/certificate.pem").read_text()


def test_the_given_one_is_served_until_there_is_another_one(program, root):
    assert program.Shelf(root).serve() == "given"
    assert served(root) == (root / "given.pem").read_text()
    certificate = lineage(root, *NAMES)
    assert program.Shelf(root).serve() == "acme"
    assert served(root) == certificate


def test_the_key_beside_it_is_its_own_and_roots_alone(program, root):
    program.Shelf(root).serve()
    key = root / "etc/webinfra/certificate/served/private_key.pem"
    assert key.read_text() == (root / "given.key").read_text()
    assert key.stat().st_mode & 0o777 == 0o600


def test_an_issued_one_that_lacks_a_new_name_is_served_until_the_next_is_there(program, root):
    lineage(root, NAMES[0])
    assert program.Shelf(root).serve() == "acme"


def test_an_issued_one_for_other_names_is_not_served(program, root):
    lineage(root, "elsewhere.example")
    assert program.Shelf(root).serve() == "given"


def test_an_issued_one_that_is_over_is_not_served(program, root):
    lineage(root, *NAMES)
    program._now, now = lambda: now() + program.dt.timedelta(days=3), program._now
    try:
        assert program.Shelf(root).serve() == "given"
    finally:
        program._now = now


def test_without_acme_the_given_one_is_served_and_certbot_renews_nothing(program, root):
    lineage(root, *NAMES)
    put(root, acme=False)
    renewal = root / "etc/letsencrypt/renewal/webinfra.conf"
    assert program.Shelf(root).serve() == "given"
    assert not renewal.exists()
    put(root)
    assert program.Shelf(root).serve() == "acme"
    assert renewal.exists()


def test_a_pair_that_does_not_match_is_refused_and_the_old_one_stays(program, root):
    program.Shelf(root).serve()
    before = served(root)
    pair = issued(root, "one", *NAMES)[0] + issued(root, "other", *NAMES)[1]
    (root / "etc/webinfra/certificate/given.pem").write_text(pair)
    with pytest.raises(program.CertificateError, match="do not belong together"):
        program.Shelf(root).serve()
    assert served(root) == before


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"], ids=["empty", "half"]
)
def test_a_file_without_a_pair_is_refused(program, root, text):
    (root / "etc/webinfra/certificate/given.pem").write_text(text)
    with pytest.raises(program.CertificateError, match="has not both"):
        program.Shelf(root).serve()


def test_old_pairs_are_not_kept_for_ever(program, root):
    for number in range(4):
        (root / "etc/webinfra/certificate/given.pem").write_text("".join(issued(root, f"pair{number}", *NAMES)))
        program.Shelf(root).serve()
    assert len(os.listdir(root / "etc/webinfra/certificate/generations")) == 2


def test_a_second_time_changes_nothing(program, root):
    def seen():
        return {path: path.lstat().st_mtime_ns for path in (root / "etc/webinfra/certificate").rglob("*")}

    program.Shelf(root).serve()
    before = seen()
    program.Shelf(root).serve()
    assert seen() == before


@pytest.mark.parametrize(
    ("having", "asked"),
    [
        ({}, False),
        ({"server": "https://staging.example/dir"}, True),
        ({"key_type": "rsa"}, True),
        ({"names": NAMES[:1]}, True),
        ({"names": [*NAMES, "old.example.com"]}, True),
        (None, True),
    ],
    ids=["as it should be", "another authority", "another kind of key", "a name less", "a name more", "nothing"],
)
def test_a_certificate_is_asked_for_where_there_is_none_as_it_would_be_asked_for(program, root, having, asked):
    if having is not None:
        lineage(root, *having.pop("names", NAMES), **having)
    assert program.Shelf(root)._as_asked() is not asked


def test_certbot_is_told_what_was_set(program, root):
    words = " ".join(program.Shelf(root).certbot_command())
    assert "--domain www.example.com --domain example.com" in words
    assert f"--server {DIRECTORY_URL}" in words
    assert "--http-01-address 10.20.0.11 --http-01-port 8888" in words
    assert "--register-unsafely-without-email" in words
    assert "--force-renewal" not in words
    lineage(root, NAMES[0])
    assert "--force-renewal" in program.Shelf(root).certbot_command()


def test_how_a_renewal_went_is_noted_and_measured(program, root):
    program.Shelf(root).serve()
    program.Shelf(root).record("exit-code")
    noted = json.loads((root / "var/lib/webinfra/certificate.json").read_text())
    assert (noted["source"], noted["names"]) == ("given", sorted(NAMES))
    assert noted["renewal"]["failed"] is True
    assert "exit-code" in noted["renewal"]["reason"]
    lines = (root / "textfile/certificate.prom").read_text().splitlines()
    assert "webinfra_certificate_renewal_failed 1" in lines
    assert f'webinfra_certificate_end_time_seconds{{source="given"}} {noted["ends"]}' in lines
    program.Shelf(root).record("success")
    assert "webinfra_certificate_renewal_failed 0" in (root / "textfile/certificate.prom").read_text()
