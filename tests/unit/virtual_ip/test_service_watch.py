# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What asks the service behind a shared address, with a service that answers as it is told."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / "roles" / "virtual_ip" / "files" / "service_watch.py"
PATIENCE, REFUSAL, RECOVERY = 0.3, 0.1, 1.0


@pytest.fixture(scope="module")
def watch():
    specification = importlib.util.spec_from_file_location("service_watch", PROGRAM)
    module = importlib.util.module_from_spec(specification)
    sys.modules["service_watch"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def judge(watch):
    return watch.Judge(patience=PATIENCE, refusal=REFUSAL, recovery=RECOVERY)


@pytest.fixture
def hear(watch, judge):
    """Let the judge hear one outcome after the other, each of which takes no time: answered, missing or refused."""
    words = {"a": watch.Outcome.ANSWERED, "m": watch.Outcome.MISSING, "r": watch.Outcome.REFUSED}

    def hear(outcomes, *, every=0.1, start=0.0):
        moments = [start + number * every for number in range(len(outcomes))]
        return [
            judge.hear(words[word], begun=moment, ended=moment) for word, moment in zip(outcomes, moments, strict=True)
        ]

    return hear


def test_the_first_answer_makes_a_service_alive(hear):
    assert hear("a") == [True]


def test_a_service_that_never_answered_is_dead_only_after_the_patience(hear):
    assert hear("mmmm") == [None, None, None, False]


def test_a_service_that_is_back_within_the_patience_was_never_dead(hear):
    assert hear("ammma") == [True] * 5


def test_a_service_that_refuses_is_dead_sooner_than_one_that_is_silent(hear):
    assert hear("arrr", every=0.05) == [True, True, True, False]


def test_a_service_that_refuses_now_and_then_has_the_whole_patience(hear):
    assert hear("armrmrmrm", every=0.05) == [True] * 7 + [False, False]


def test_one_request_that_hangs_for_the_whole_patience_is_enough(watch, judge, hear):
    hear("a")
    assert judge.time_left(0.1) == PATIENCE
    assert judge.hear(watch.Outcome.MISSING, begun=0.1, ended=0.1 + PATIENCE) is False


def test_a_request_that_follows_a_failed_one_has_only_what_is_left_of_the_patience(judge, hear):
    hear("amm")
    assert judge.time_left(0.3) == pytest.approx(0.1)


def test_a_dead_service_must_answer_for_a_while_without_a_failure(hear):
    hear("mmmm")
    assert hear("a" * 11, start=1.0) == [False] * 10 + [True]


def test_a_dead_service_that_answers_now_and_then_stays_dead(hear):
    hear("mmmm")
    assert set(hear("aam" * 20, start=1.0)) == {False}


def test_a_dead_service_is_given_the_whole_patience_for_an_answer(judge, hear):
    hear("mmmm")
    assert judge.time_left(5.0) == PATIENCE


@contextlib.contextmanager
def listening(answer):
    """A service on a port of its own; without an answer it accepts in the kernel and hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                connection, _peer = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        if answer is not None:
            thread.start()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "ANSWERED"),
        (b"HTTP/1.0 503 Service Unavailable\r\n\r\n", "ANSWERED"),
        (b"SSH-2.0-OpenSSH\r\n", "MISSING"),
        (b"", "MISSING"),
        (None, "MISSING"),
    ],
    ids=["an answer", "an answer that the servers are gone", "something else", "an empty answer", "a hanging service"],
)
def test_only_the_beginning_of_an_answer_counts(watch, answer, outcome):
    with listening(answer) as port:
        assert watch.Service("127.0.0.1", port, "/").ask(0.2 if answer is None else 5).name == outcome


def test_a_port_on_which_nobody_listens_refuses(watch):
    with listening(None) as port:
        pass
    assert watch.Service("127.0.0.1", port, "/").ask(5) is watch.Outcome.REFUSED


@pytest.mark.parametrize(("alive", "text"), [(True, "0\n"), (False, "1\n")])
def test_the_verdict_is_a_file_that_keepalived_reads(watch, tmp_path, alive, text):
    watch.keep(tmp_path / "dead", alive=alive)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("dead", text)]


def test_systemd_is_told_over_its_socket(watch, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        watch.tell_systemd("READY=1")
        assert systemd.recv(64) == b"READY=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    watch.tell_systemd("READY=1")
