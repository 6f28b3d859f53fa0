# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import multiprocessing
import subprocess

import pytest
from ansible.errors import AnsibleActionFail
from cryptography import x509

from ansible_collections.webinfra.stack.plugins.action.private_certificate import ActionModule

ARGUMENTS = {"host": "db1", "addresses": ["10.20.0.31"]}


@pytest.fixture
def issue(run_action, tmp_path):
    """Run the action in a directory that does not exist at first."""

    def run(*, check_mode=False, **options):
        arguments = {"directory": str(tmp_path / "ca"), **ARGUMENTS, **options}
        result, _shown = run_action(ActionModule, arguments, check_mode=check_mode)
        return result

    run.folder = tmp_path / "ca"
    return run


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_host_gets_a_certificate_that_openssl_trusts_for_its_name_and_addresses(issue):
    assert issue()["changed"]
    for said in (["-verify_hostname", "db1"], ["-verify_ip", "10.20.0.31"]):
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", issue.folder / "ca.pem"]
        checked = subprocess.run(
            [*command, *said, issue.folder / "db1.pem"], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


def test_further_names_are_in_it_once(issue):
    assert issue(names=["www.example.org", "db1"])["diff"]["after"]["names"] == ("db1", "www.example.org", "10.20.0.31")
    again = issue(names=["shop.example.org"])
    assert again["reason"] == "it is for db1, www.example.org, 10.20.0.31"


def test_another_name_is_not_in_it(issue):
    issue()
    command = ["openssl", "verify", "-CAfile", issue.folder / "ca.pem", "-verify_hostname", "db2"]
    checked = subprocess.run([*command, issue.folder / "db1.pem"], capture_output=True, text=True, check=False)
    assert checked.returncode != 0


def test_keys_are_their_owner_s_alone(issue):
    issue()
    modes = {path.name: path.stat().st_mode & 0o777 for path in [issue.folder, *issue.folder.glob("*.*")]}
    assert modes == {"ca": 0o700, "ca.key": 0o600, "ca.pem": 0o644, "db1.key": 0o600, "db1.pem": 0o600, ".lock": 0o644}


def test_a_second_run_changes_nothing(issue):
    issue()
    before = contents(issue.folder)
    again = issue()
    assert (again["changed"], again["reason"]) == (False, None)
    assert again["diff"]["before"] == again["diff"]["after"]
    assert contents(issue.folder) == before


def test_check_mode_predicts_and_creates_nothing(issue):
    predicted = issue(check_mode=True)
    assert (predicted["changed"], predicted["reason"], issue.folder.exists()) == (True, "there is none", False)
    done = issue()
    assert predicted["diff"]["after"]["names"] == done["diff"]["after"]["names"] == ("db1", "10.20.0.31")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"renew_days": 366}, "it ends on "),
        ({"addresses": ["10.20.0.99"]}, "it is for db1, 10.20.0.31"),
    ],
    ids=["ends soon", "other addresses"],
)
def test_a_certificate_that_does_not_fit_is_issued_anew_with_the_same_key(issue, options, reason):
    issue()
    before = contents(issue.folder)
    again = issue(**options)
    assert again["changed"]
    assert again["reason"].startswith(reason)
    after = contents(issue.folder)
    assert {name for name in after if after[name] != before[name]} == {"db1.pem"}


@pytest.mark.parametrize("lost", ["db1.key", "db1.pem"])
def test_what_was_lost_of_a_host_is_made_again(issue, lost):
    issue()
    (issue.folder / lost).unlink()
    assert issue()["changed"]
    assert not issue()["changed"]
    of_key = ["openssl", "pkey", "-in", issue.folder / "db1.key", "-pubout"]
    of_certificate = ["openssl", "x509", "-in", issue.folder / "db1.pem", "-noout", "-pubkey"]
    assert subprocess.check_output(of_key) == subprocess.check_output(of_certificate)


def test_a_certificate_of_another_authority_is_replaced(issue):
    issue()
    for name in ("ca.pem", "ca.key"):
        (issue.folder / name).unlink()
    issue(host="db2")
    again = issue()
    assert (again["changed"], again["reason"]) == (True, "another authority has signed it")


def test_an_authority_without_its_key_refuses_and_keeps_what_is_there(issue):
    issue()
    (issue.folder / "ca.key").unlink()
    before = contents(issue.folder)
    with pytest.raises(AnsibleActionFail, match="Bring the key back"):
        issue(host="db2", addresses=["10.20.0.32"])
    assert contents(issue.folder) == before


def test_an_address_that_is_none_is_refused(issue):
    with pytest.raises(AnsibleActionFail, match=r"db1\.example.* does not appear to be an IPv4 or IPv6 address"):
        issue(addresses=["db1.example"])


def test_hosts_that_ask_at_the_same_time_have_one_authority(issue):
    """Each of them is a process of its own, as Ansible's workers are."""
    hosts = [f"db{number}" for number in range(1, 7)]
    forked = multiprocessing.get_context("fork")
    workers = [forked.Process(target=issue, kwargs={"host": host}) for host in hosts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * len(hosts)
    root = certificate(issue.folder / "ca.pem")
    for host in hosts:
        certificate(issue.folder / f"{host}.pem").verify_directly_issued_by(root)
