"""The two functions everything is built on: a labelled hash `h` and a labelled HMAC `m`."""

from __future__ import annotations

import hashlib
import hmac


def encoded(label: str, *parts: bytes) -> bytes:
    """label ‖ 0x00 ‖ each part as its length (2 bytes, big-endian) ‖ its bytes."""
    pieces = [label.encode(), b"\x00"]
    for part in parts:
        pieces += (len(part).to_bytes(2, "big"), part)
    return b"".join(pieces)


def h(label: str, *parts: bytes) -> bytes:
    """SHA-256 over the encoding of *label* and *parts*: 32 bytes."""
    return hashlib.sha256(encoded(label, *parts)).digest()


def m(key: bytes, label: str, *parts: bytes) -> bytes:
    """HMAC-SHA256 with *key* over the encoding of *label* and *parts*: 32 bytes."""
    return hmac.digest(key, encoded(label, *parts), "sha256")
