"""The lot: a seed that nobody could choose, and the order that follows from it.

A secret is drawn and its SHA-256 published before applications close. After that a public value is
fixed (say, the numbers of a lottery on a day named in advance). Whoever knows the secret cannot
foresee the value, whoever sees the value does not know the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

from mvote.budget.drawing.errors import SecretNotCommitted

SECRET_BYTES = 32
LOT, SEED = b"mvote/lot/1", b"mvote/seed/1"


def new_secret() -> bytes:
    """32 random bytes, to be kept until applications are closed and the public value is fixed."""
    return secrets.token_bytes(SECRET_BYTES)


def commitment_to(secret: bytes) -> bytes:
    """SHA-256 of the secret: what is published first."""
    return hashlib.sha256(secret).digest()


def seed_of(secret: bytes, *, commitment: bytes, public_value: str) -> bytes:
    """SHA-256("mvote/seed/1" ‖ secret ‖ public value in UTF-8), once the secret proves to be it.

    The secret has 32 bytes, so it is clear where it ends. Raises `SecretNotCommitted`.
    """
    kept = hmac.compare_digest(commitment_to(secret), commitment)
    if not kept or len(secret) != SECRET_BYTES:
        raise SecretNotCommitted
    return hashlib.sha256(SEED + secret + public_value.encode()).digest()


def lot(seed: bytes, name: str) -> bytes:
    """SHA-256("mvote/lot/1" ‖ seed ‖ name in UTF-8)."""
    return hashlib.sha256(LOT + seed + name.encode()).digest()


def in_order(names: Iterable[str], seed: bytes) -> list[str]:
    """The names by their lots, lowest first. The order in which they came plays no part."""
    return sorted(names, key=lambda name: (lot(seed, name), name))
