# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import socket
import subprocess
import threading
import typing as t

import pytest

from ansible_collections.webinfra.stack.plugins.module_utils._seeding.channel import (
    Channel,
    Identity,
    accepted,
    names_address,
    reached,
)
from ansible_collections.webinfra.stack.plugins.module_utils._seeding.errors import ChannelError

if t.TYPE_CHECKING:
    import collections.abc as c
    from pathlib import Path

HOME = "127.0.0.1"
PATIENCE = {"wait": 5, "idle": 5}
# For a donor that turns its visitor away: it goes on waiting for the right one.
BRIEFLY = 0.5


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority(folder: Path, name: str) -> None:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
    openssl(folder, "req", "-x509", *key, "-subj", f"/CN={name}", "-days", "2", "-out", f"{name}.pem")


def certificate(folder: Path, name: str, signer: str, address: str) -> Identity:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")
    signed = ("-CA", f"{signer}.pem", "-CAkey", f"{signer}.key", "-addext", f"subjectAltName=IP:{address}")
    extensions = ("-addext", "basicConstraints=CA:FALSE")
    openssl(folder, "req", "-x509", *key, *signed, *extensions, "-subj", f"/CN={name}", "-out", f"{name}.pem")
    return Identity(ca_file=f"{folder}/ca.pem", certificate=f"{folder}/{name}.pem", key=f"{folder}/{name}.key")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    authority(made, "ca")
    authority(made, "stranger")
    return made


@pytest.fixture(scope="module")
def identity(folder: Path) -> Identity:
    return certificate(folder, "home", "ca", HOME)


def free_port() -> int:
    with socket.create_server((HOME, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def met(
    donor: Identity,
    target: Identity,
    serve: c.Callable[[Channel], None],
    use: c.Callable[[Channel], t.Any],
    *,
    wait: float = 5,
) -> tuple[t.Any, list[ChannelError]]:
    """Let both sides meet; return what the target made of it, and how the donor failed."""
    port = free_port()
    failures: list[ChannelError] = []

    def side() -> None:
        try:
            with accepted(HOME, port, HOME, donor, wait=wait, idle=5) as channel:
                serve(channel)
        except ChannelError as exc:
            failures.append(exc)

    thread = threading.Thread(target=side)
    thread.start()
    try:
        with reached(HOME, port, target, **PATIENCE) as channel:
            return use(channel), failures
    except ChannelError as exc:
        return exc, failures
    finally:
        thread.join()


def test_a_note_and_a_stream_arrive_whole(identity: Identity) -> None:
    content = bytes(range(256)) * 20_000

    def serve(channel: Channel) -> None:
        channel.send_note({"engine": "mariadb"})
        assert channel.receive_note() == {"go": True}
        channel.send_stream(io.BytesIO(content))
        channel.send_note({"complete": True})

    def use(channel: Channel) -> t.Any:
        assert channel.receive_note() == {"engine": "mariadb"}
        channel.send_note({"go": True})
        return b"".join(channel.receive_stream()) == content, channel.receive_note()

    assert met(identity, identity, serve, use) == ((True, {"complete": True}), [])


def test_a_stream_that_breaks_off_is_an_error(identity: Identity) -> None:
    def serve(channel: Channel) -> None:
        channel._send(b"\x00\x00\x10\x00only this")

    found, _failures = met(identity, identity, serve, lambda channel: list(channel.receive_stream()))
    assert "before its end" in str(found)


def test_a_donor_of_another_authority_is_not_believed(folder: Path, identity: Identity) -> None:
    stranger = certificate(folder, "fake_donor", "stranger", HOME)
    found, failures = met(
        stranger, identity, lambda _channel: None, lambda channel: channel.receive_note(), wait=BRIEFLY
    )
    assert "does not prove to be 127.0.0.1" in str(found)
    assert failures


def test_a_donor_whose_certificate_names_another_address_is_not_believed(folder: Path, identity: Identity) -> None:
    other = certificate(folder, "other_donor", "ca", "10.9.9.9")
    found, _failures = met(other, identity, lambda _channel: None, lambda channel: channel.receive_note(), wait=BRIEFLY)
    assert "does not prove to be 127.0.0.1" in str(found)


@pytest.mark.parametrize(("signer", "address"), [("stranger", HOME), ("ca", "10.9.9.9")], ids=["authority", "address"])
def test_a_target_that_is_somebody_else_gets_nothing(
    folder: Path, identity: Identity, signer: str, address: str
) -> None:
    served: list[Channel] = []
    other = certificate(folder, f"target_{signer}", signer, address)
    found, failures = met(identity, other, served.append, lambda channel: channel.receive_note(), wait=BRIEFLY)
    assert isinstance(found, ChannelError)
    assert failures
    assert served == []


def test_a_target_without_a_certificate_gets_nothing(identity: Identity) -> None:
    port = free_port()
    failures: list[str] = []

    def side() -> None:
        try:
            with accepted(HOME, port, HOME, identity, wait=BRIEFLY, idle=5):
                failures.append("served")
        except ChannelError as exc:
            failures.append(str(exc))

    thread = threading.Thread(target=side)
    thread.start()
    deadline = 50
    while deadline:
        deadline -= 1
        try:
            with socket.create_connection((HOME, port), timeout=5) as plain:
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                plain.recv(10)
            break
        except ConnectionRefusedError:
            thread.join(0.05)
        except OSError:
            break
    thread.join()
    assert failures != ["served"]


def test_an_address_is_named_as_an_address() -> None:
    named = {"subjectAltName": (("DNS", "10.0.0.1"), ("IP Address", "10.0.0.2"))}
    assert names_address(named, "10.0.0.2")
    assert not names_address(named, "10.0.0.1")
    assert not names_address({}, "10.0.0.2")
