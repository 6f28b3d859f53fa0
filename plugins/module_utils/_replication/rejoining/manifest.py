# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: BSD-2-Clause
"""What stands beside saved transactions: which they are, whose, since when, and how to see that no file was changed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A file, and its fingerprint."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One set of transactions that was saved."""

    server: str
    engine: str
    version: str
    server_id: int
    server_uuid: str | None
    gtids: str
    count: int
    missing: str
    """Those whose logs the server has deleted."""
    saved_at: str
    files: tuple[SavedFile, ...] = ()

    def to_text(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Manifest:
        fields = json.loads(text)
        return cls(**{**fields, "files": tuple(SavedFile(**file) for file in fields["files"])})


def directory_name(server: str, gtids: str) -> str:
    """Name a set after its server and itself, so that the same set is always found in the same place."""
    return f"{server}-{hashlib.sha256(gtids.encode()).hexdigest()[:12]}"


__all__ = ("MANIFEST", "Manifest", "SavedFile", "directory_name")
