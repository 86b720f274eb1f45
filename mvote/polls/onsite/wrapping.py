"""Secrets of codes at rest: the database holds them wrapped by a key that it never sees.

ChaCha20-Poly1305 (RFC 8439) with a random nonce; what a secret is for is authenticated with it, so
that a row moved to another code no longer opens.
"""

from __future__ import annotations

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

SITE_CODE_KEY = "site-codes"
"""The name of the wrapping key in the web's keystore; 32 bytes."""
NONCE_BYTES, TAG_BYTES = 12, 16


class SecretUnreadable(ValueError):
    """Another key wrapped it, for something else, or it was changed."""


class CodeSecrets:
    """Wraps and unwraps with a *key* of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._hash_key = hmac.digest(key, b"mvote/site-codes/hash/1", "sha256")

    def wrap(self, secret: bytes, *, purpose: str) -> bytes:
        """Nonce and ciphertext, 28 bytes longer than the secret."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, purpose.encode())

    def unwrap(self, wrapped: bytes, *, purpose: str) -> bytes:
        """The secret. Raises SecretUnreadable."""
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, purpose.encode())
        except InvalidTag:
            raise SecretUnreadable(purpose) from None

    def hash(self, subject: str) -> bytes:
        """32 bytes that stand for whom or what is counted."""
        return hmac.digest(self._hash_key, subject.encode(), "sha256")
