# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a service on this host show the right certificate: the given one, or that of an ACME authority once there is one.

serve    put the right one in the service's way, and reload the service when it has another one
renewed  the same, for certbot, which has just renewed a certificate that may be ours
issue    have a certificate issued where there is none that fits, and serve it
record   note how certbot's renewal went, and serve what is there

What is served is a directory, exchanged in one step: nobody ever reads a certificate with another one's key.
"""

from __future__ import annotations

import configparser
import contextlib
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

NAME = "webinfra"
"""Of the certificate, in certbot's words."""
CERTIFICATE, PRIVATE_KEY = "certificate.pem", "private_key.pem"
_CERTIFICATES = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_KEY = re.compile(r"-----BEGIN (?P<kind>[A-Z ]*PRIVATE KEY)-----.+?-----END (?P=kind)-----\n?", re.DOTALL)
_DNS_NAME = re.compile(r"DNS:([^,\s]+)")


class CertificateError(Exception):
    """Something that cannot be served, or was not, with what to do."""


@dataclass(frozen=True)
class Pair:
    """A certificate with its chain, and its private key."""

    certificate: str
    private_key: str

    @classmethod
    def of_text(cls, text: str, where: str) -> Pair:
        certificates, key = _CERTIFICATES.findall(text), _KEY.search(text)
        if not certificates or key is None:
            raise CertificateError(f"{where} has not both a certificate and a private key, in PEM")
        return cls("".join(each.rstrip("\n") + "\n" for each in certificates), key[0].rstrip("\n") + "\n")

    @property
    def generation(self) -> str:
        return hashlib.sha256((self.certificate + self.private_key).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Facts:
    """What a certificate says of itself."""

    names: frozenset[str]
    ends: int

    @classmethod
    def of(cls, path: Path) -> Facts:
        command = ["openssl", "x509", "-in", str(path), "-noout", "-enddate", "-ext", "subjectAltName"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        end = re.search(r"notAfter=(.+)", done.stdout)
        if done.returncode != 0 or end is None:
            raise CertificateError(f"openssl cannot read the certificate {path}: {done.stderr.strip()}")
        names = frozenset(name.lower() for name in _DNS_NAME.findall(done.stdout))
        return cls(names, int(ssl.cert_time_to_seconds(end[1].strip())))


class Shelf:
    """The files of this host; all of them below one root."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.directory = root / "etc/webinfra/certificate"
        self.settings: dict[str, t.Any] = json.loads((self.directory / "settings.json").read_text())
        self.served = self.directory / "served"
        self._generations = self.directory / "generations"
        self._renewal = root / f"etc/letsencrypt/renewal/{NAME}.conf"
        self._lineage = root / f"etc/letsencrypt/live/{NAME}"
        self._stamp = root / f"var/lib/webinfra/units/{self.settings['unit']}.json"
        self._record = root / "var/lib/webinfra/certificate.json"
        self._textfile = root / self.settings["textfile"].lstrip("/")

    # Which one

    def wanted(self) -> tuple[str, Pair]:
        """Return the pair to serve and where it is from: an authority's where it fits, else the given one."""
        pair = self._issued() if self.settings["acme"] else None
        if pair is not None:
            return "acme", pair
        return "given", Pair.of_text((self.directory / "given.pem").read_text(), str(self.directory / "given.pem"))

    def renewal_settings(self) -> dict[str, str]:
        """Return how certbot renews our certificate; nothing where it has none."""
        parser = configparser.ConfigParser(interpolation=None)
        with contextlib.suppress(OSError, configparser.Error):
            # Its first section has no name, and the others' are in double brackets.
            parser.read_string("[certificate]\n" + self._renewal.read_text().replace("[[", "[").replace("]]", "]"))
        return {key: value for section in parser.values() for key, value in section.items()}

    def _issued(self) -> Pair | None:
        """Return the authority's, unless it is over or for other names altogether.

        One that lacks a new name, or is another authority's, is better than the given one while the next is issued.
        """
        try:
            text = "".join((self._lineage / name).read_text() for name in ("fullchain.pem", "privkey.pem"))
            facts = Facts.of(self._lineage / "fullchain.pem")
        except (OSError, CertificateError):
            return None
        fits = facts.names & set(self.settings["names"]) and facts.ends > _now().timestamp()
        return Pair.of_text(text, str(self._lineage)) if fits else None

    def _as_asked(self) -> bool:
        """Tell whether the authority's certificate is what would be asked for today.

        One with a name too many could not be renewed once that name leads elsewhere.
        """
        if self._issued() is None:
            return False
        renewal = self.renewal_settings()
        wanted = [self.settings[key] for key in ("directory_url", "key_type")]
        names = Facts.of(self._lineage / "fullchain.pem").names
        return names == set(self.settings["names"]) and [renewal.get("server"), renewal.get("key_type")] == wanted

    # Serving it

    def serve(self) -> str:
        """Serve the right one; return where it is from."""
        self._park_renewal()
        source, pair = self.wanted()
        before = os.readlink(self.served) if self.served.is_symlink() else None
        self._put(pair)
        try:
            self._load()
        except CertificateError:
            if before is not None:
                _link(self.served, before)
            raise
        self._forget({before, os.readlink(self.served)})
        self.note(source=source)
        return source

    def _put(self, pair: Pair) -> None:
        target = self._generations / pair.generation
        if not target.is_dir():
            self._generations.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._generations, prefix=".") as room:
                fresh = Path(room) / "pair"
                fresh.mkdir(mode=0o755)
                _write(fresh / PRIVATE_KEY, pair.private_key, mode=0o600)
                _write(fresh / CERTIFICATE, pair.certificate, mode=0o644)
                _require_match(fresh)
                fresh.rename(target)
        if not self.served.is_symlink() or os.readlink(self.served) != f"generations/{pair.generation}":
            _link(self.served, f"generations/{pair.generation}")

    def _load(self) -> None:
        """Reload the service where it has loaded another certificate; who starts it tells one that has none yet."""
        path = str(self.served / CERTIFICATE)
        fingerprint = hashlib.sha256((self.served / CERTIFICATE).read_bytes()).hexdigest()
        try:
            stamp = json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return
        loaded = stamp.get("watched", {}).get(path, fingerprint)
        if loaded == fingerprint or not _succeeds("systemctl", "is-active", self.settings["unit"]):
            return
        _run(
            "The service would not start with the new certificate, so the old one stays in use", *self.settings["check"]
        )
        _run("The service did not take the new certificate over", "systemctl", "reload", self.settings["unit"])
        stamp["watched"][path] = fingerprint
        _write(self._stamp, json.dumps(stamp) + "\n", mode=0o644)

    def _forget(self, kept: set[str | None]) -> None:
        """Remove the pairs that nobody serves any more, but for the last one."""
        for path in self._generations.iterdir():
            if f"generations/{path.name}" not in kept:
                shutil.rmtree(path)

    def _park_renewal(self) -> None:
        """Let certbot not renew what nobody wants any more, and renew it again when it is wanted."""
        parked = self._renewal.with_suffix(".conf.unused")
        if not self.settings["acme"] and self._renewal.exists():
            os.replace(self._renewal, parked)
        elif self.settings["acme"] and parked.exists() and not self._renewal.exists():
            os.replace(parked, self._renewal)

    # Having it issued

    def issue(self) -> None:
        self._park_renewal()
        if not self._as_asked():
            what = "The authority issued no certificate, so what is served stays as it is"
            _run(what, *self.certbot_command(), environment=self._environment())
        source = self.serve()
        if source != "acme":
            raise CertificateError(
                f"certbot succeeded, but {self._lineage} does not fit; what is served stays as it is"
            )
        self.note(renewal={"failed": False, "at": _now().isoformat(timespec="seconds"), "reason": ""})

    def certbot_command(self) -> list[str]:
        renewal, settings = self.renewal_settings(), self.settings
        names = [word for name in settings["names"] for word in ("--domain", name)]
        account = ["--email", settings["email"]] if settings["email"] else ["--register-unsafely-without-email"]
        # certbot keeps what is not due, whoever issued it.
        force = ["--force-renewal", "--break-my-certs"] if renewal else []
        return [
            *("certbot", "certonly", "--non-interactive", "--agree-tos", "--cert-name", NAME),
            *("--standalone", "--preferred-challenges", "http"),
            *("--http-01-address", settings["address"], "--http-01-port", str(settings["port"])),
            *("--server", settings["directory_url"], "--key-type", settings["key_type"]),
            *("--renew-with-new-domains", *force, *account, *names),
        ]

    def _environment(self) -> dict[str, str]:
        bundle = {"REQUESTS_CA_BUNDLE": self.settings["ca_bundle"]} if self.settings["ca_bundle"] else {}
        return {**os.environ, **bundle}

    # Saying how it went

    def record(self, result: str) -> None:
        """Note what became of a renewal, by the words of systemd."""
        reason = "" if result == "success" else f"certbot renew: {result}; journalctl --unit certbot.service says why"
        self.note(renewal={"failed": bool(reason), "at": _now().isoformat(timespec="seconds"), "reason": reason})

    def note(self, **fields: t.Any) -> None:
        try:
            noted = json.loads(self._record.read_text())
        except (OSError, ValueError):
            noted = {}
        facts = Facts.of(self.served / CERTIFICATE)
        noted = {**noted, "names": sorted(facts.names), "ends": facts.ends, **fields}
        self._record.parent.mkdir(parents=True, exist_ok=True)
        _write(self._record, json.dumps(noted, indent=2) + "\n", mode=0o644)
        if self._textfile.parent.is_dir():
            _write(self._textfile, exposition(noted), mode=0o644)


def exposition(noted: t.Mapping[str, t.Any]) -> str:
    """Return the record as Prometheus reads it; rule: its text format 0.0.4."""
    renewal = noted.get("renewal", {})
    lines = [
        "# HELP webinfra_certificate_end_time_seconds When the certificate that clients see ends.",
        "# TYPE webinfra_certificate_end_time_seconds gauge",
        f'webinfra_certificate_end_time_seconds{{source="{noted.get("source", "given")}"}} {noted["ends"]}',
    ]
    if renewal:
        lines += [
            "# HELP webinfra_certificate_renewal_failed Whether the last renewal failed.",
            "# TYPE webinfra_certificate_renewal_failed gauge",
            f"webinfra_certificate_renewal_failed {int(renewal['failed'])}",
            "# HELP webinfra_certificate_renewal_time_seconds When the last renewal was tried.",
            "# TYPE webinfra_certificate_renewal_time_seconds gauge",
            f"webinfra_certificate_renewal_time_seconds {dt.datetime.fromisoformat(renewal['at']).timestamp():.0f}",
        ]
    return "\n".join(lines) + "\n"


def _require_match(directory: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(directory / CERTIFICATE, directory / PRIVATE_KEY)
    except (ssl.SSLError, OSError) as exc:
        what = "The certificate and the private key do not belong together, or cannot be read"
        raise CertificateError(f"{what}: {exc}") from exc


def _write(path: Path, text: str, *, mode: int) -> None:
    """Replace a file in one step, with its permissions from its first moment."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(handle, "w") as stream:
        os.fchmod(handle, mode)
        stream.write(text)
        stream.flush()
        os.fsync(handle)
    os.replace(temporary, path)


def _link(path: Path, target: str) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as room:
        os.symlink(target, Path(room) / "link")
        os.replace(Path(room) / "link", path)


def _succeeds(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _run(what: str, *words: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        said = "\n".join(text.strip() for text in (done.stdout, done.stderr) if text.strip())
        raise CertificateError(f"{what} ({' '.join(words[:2])}):\n{said}")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def main() -> None:
    verb = sys.argv[1]
    shelf = Shelf()
    try:
        if verb == "issue":
            shelf.issue()
        elif verb == "record":
            shelf.record(os.environ.get("SERVICE_RESULT", "success"))
            shelf.serve()
        elif verb == "serve" or os.path.basename(os.environ.get("RENEWED_LINEAGE", "")) == NAME:
            shelf.serve()
    except CertificateError as exc:
        if verb != "serve":
            shelf.note(renewal={"failed": True, "at": _now().isoformat(timespec="seconds"), "reason": str(exc)})
        sys.exit(str(exc))


if __name__ == "__main__":
    main()
