# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority in a directory of the controller, which issues one certificate a host."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import ipaddress
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ansible_collections.webinfra.stack.plugins.plugin_utils.whole_file import ITS_OWNER_MAY_READ, replace_file

if t.TYPE_CHECKING:
    import collections.abc as c
    from pathlib import Path

CA_LIFETIMES = 10
"""The authority is valid so many times as long as a host's certificate."""
_COMMON_NAME = "webinfra.stack private authority"
_CLOCKS_DIFFER = dt.timedelta(hours=1)
"""A certificate holds from a little before now: the clocks of controller and hosts need not agree."""


class AuthorityError(Exception):
    """The authority cannot issue; nothing was changed."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a host's certificate shall say."""

    host: str
    names: tuple[str, ...] = ()
    """Names beside the host's."""
    addresses: tuple[str, ...]
    valid_days: int
    renew_days: int
    """Days before its end at which a certificate is issued anew."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """How a certificate is, or will be."""

    names: tuple[str, ...]
    not_after: str
    reason: str | None = None
    """Why it had to be issued; none where it was good."""


class Authority:
    """The files ``ca.pem`` and ``ca.key``, and for each host its own two."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._certificate = directory / "ca.pem"
        self._key = directory / "ca.key"

    def look(self, request: Request, *, now: dt.datetime) -> tuple[Issue | None, Issue]:
        """Return how the host's certificate is, and how it should be: the same where it is good."""
        found = self._found(request.host)
        if found is None:
            return None, self._wanted(request, now=now, reason="there is none")
        before = Issue(names=_names_of(found), not_after=_moment(found.not_valid_after_utc))
        reason = self._fault(found, request, now=now)
        return before, before if reason is None else self._wanted(request, now=now, reason=reason)

    def issue(self, request: Request, *, now: dt.datetime) -> None:
        """Make the host's certificate, and whatever is missing for it. A key that is there stays."""
        with self._alone():
            authority = self._authority(request, now=now)
            key = _key_in(self._key_of(request.host))
            certificate = _sign(_certificate_of(request, key, now=now), authority)
            replace_file(self._certificate_of(request.host), certificate.public_bytes(_PEM), mode=ITS_OWNER_MAY_READ)

    def _authority(self, request: Request, *, now: dt.datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        if self._certificate.exists() and not self._key.exists():
            raise AuthorityError(
                f"{self._certificate} is there and its key {self._key} is not. Bring the key back; or remove "
                f"{self._directory}, and every host gets a certificate of a new authority"
            )
        key = _key_in(self._key)
        if not self._certificate.exists():
            lifetime = dt.timedelta(days=request.valid_days * CA_LIFETIMES)
            replace_file(self._certificate, _root(key, now=now, lifetime=lifetime).public_bytes(_PEM))
        return _read(self._certificate), key

    def _fault(self, found: x509.Certificate, request: Request, *, now: dt.datetime) -> str | None:
        """Say what is wrong with a host's certificate."""
        missing = [path for path in (self._certificate, self._key_of(request.host)) if not path.exists()]
        if missing:
            return f"{missing[0].name} is missing"
        if found.not_valid_after_utc - now < dt.timedelta(days=request.renew_days):
            return f"it ends on {found.not_valid_after_utc:%Y-%m-%d}"
        if sorted(_names_of(found)) != sorted(_names(request)):
            return f"it is for {', '.join(_names_of(found))}"
        try:
            found.verify_directly_issued_by(_read(self._certificate))
        except Exception:  # noqa: BLE001 - whatever it is, this authority has not signed it
            return "another authority has signed it"
        return None

    def _wanted(self, request: Request, *, now: dt.datetime, reason: str) -> Issue:
        end = now + dt.timedelta(days=request.valid_days)
        return Issue(names=_names(request), not_after=_moment(end), reason=reason)

    def _found(self, host: str) -> x509.Certificate | None:
        path = self._certificate_of(host)
        return _read(path) if path.exists() else None

    def _certificate_of(self, host: str) -> Path:
        return self._directory / f"{host}.pem"

    def _key_of(self, host: str) -> Path:
        return self._directory / f"{host}.key"

    @contextlib.contextmanager
    def _alone(self) -> c.Iterator[None]:
        """Several hosts ask at the same time, and one of them makes the authority."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (self._directory / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as exc:
            raise AuthorityError(f"{exc.filename or self._directory} cannot be used: {exc.strerror}") from exc


_PEM = serialization.Encoding.PEM


def _certificate_of(request: Request, key: ec.EllipticCurvePrivateKey, *, now: dt.datetime) -> x509.CertificateBuilder:
    addresses = (x509.IPAddress(ipaddress.ip_address(address)) for address in request.addresses)
    names = x509.SubjectAlternativeName([*map(x509.DNSName, _host_names(request)), *addresses])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    return (
        _unsigned(request.host, key, now=now, lifetime=dt.timedelta(days=request.valid_days))
        .add_extension(names, critical=False)
        .add_extension(usage, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )


def _root(key: ec.EllipticCurvePrivateKey, *, now: dt.datetime, lifetime: dt.timedelta) -> x509.Certificate:
    name = _name(_COMMON_NAME)
    return (
        _unsigned(_COMMON_NAME, key, now=now, lifetime=lifetime)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
        .sign(key, hashes.SHA256())
    )


def _sign(
    builder: x509.CertificateBuilder, authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]
) -> x509.Certificate:
    certificate, key = authority
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.issuer_name(certificate.subject).add_extension(signer, critical=False).sign(key, hashes.SHA256())


def _unsigned(
    name: str, key: ec.EllipticCurvePrivateKey, *, now: dt.datetime, lifetime: dt.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host_names(request: Request) -> tuple[str, ...]:
    return tuple(dict.fromkeys((request.host, *request.names)))


def _names(request: Request) -> tuple[str, ...]:
    return (*_host_names(request), *(str(ipaddress.ip_address(address)) for address in request.addresses))


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise AuthorityError(f"{path} is no certificate that can be read: {exc}. Remove it to have a new one") from exc


def _key_in(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key in a file, which is made when there is none."""
    if not path.exists():
        fresh = ec.generate_private_key(ec.SECP256R1())
        plain = serialization.NoEncryption()
        replace_file(path, fresh.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain), mode=ITS_OWNER_MAY_READ)
        return fresh
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as exc:
        raise AuthorityError(f"{path} is no key that can be read: {exc}") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"{path} is not a key of an elliptic curve, as this authority makes them")
    return key
