"""Hashes, trees and signed notes, written from the formats alone and as plainly as they read.

They use nothing of the project, so that a slip of the project shows against them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def canonical(document: Any) -> bytes:
    """JSON with sorted names and no spaces, which is RFC 8785 for texts and small numbers."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def labelled(label: str, *parts: bytes) -> bytes:
    prefixed = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return sha(label.encode() + b"\0" + prefixed)


def root_of(entries: Sequence[bytes]) -> bytes:
    """RFC 6962's recursive definition, as slow as it is plain."""
    if not entries:
        return sha(b"")
    if len(entries) == 1:
        return sha(b"\0" + entries[0])
    split = 1 << (len(entries) - 1).bit_length() - 1
    return sha(b"\1" + root_of(entries[:split]) + root_of(entries[split:]))


def path_of(index: int, entries: Sequence[bytes]) -> list[bytes]:
    """RFC 6962's inclusion proof."""
    if len(entries) == 1:
        return []
    split = 1 << (len(entries) - 1).bit_length() - 1
    if index < split:
        return [*path_of(index, entries[:split]), root_of(entries[split:])]
    return [*path_of(index - split, entries[split:]), root_of(entries[:split])]


@dataclass
class Signer:
    """A key that signs notes under a name."""

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def vkey(self, name: str, kind: int = 1) -> str:
        key = bytes([kind]) + self.public
        hashed = sha(name.encode() + b"\n" + key)[:4].hex()
        return f"{name}+{hashed}+{base64.b64encode(key).decode()}"

    def line(self, name: str, message: bytes) -> str:
        raw = sha(name.encode() + b"\n\x01" + self.public)[:4] + self.private.sign(message)
        return f"— {name} {base64.b64encode(raw).decode()}\n"

    def cosignature(self, name: str, body: bytes, time: int = 1_800_000_000) -> str:
        signature = self.private.sign(f"cosignature/v1\ntime {time}\n".encode() + body)
        hashed = sha(name.encode() + b"\n\x04" + self.public)[:4]
        raw = hashed + time.to_bytes(8, "big") + signature
        return f"— {name} {base64.b64encode(raw).decode()}\n"


def checkpoint_body(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
