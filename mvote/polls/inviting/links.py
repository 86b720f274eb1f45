"""The personal link: it opens the poll and says for whom it is meant, without naming anybody.

It neither signs in nor votes, and admits nobody: whoever holds it still proves a number by a
one-time code, and that number must be on the roll. So a link that is passed on gives nothing away.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import uuid
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from mvote.ballotbox.keystore import Keystore, KeyUnreadable
from mvote.ballotbox.poll_keys import KEY_BYTES, key_name

LETTER = "N"
SECRET_BYTES, NONCE_BYTES = 16, 12


def new_token(poll_id: uuid.UUID) -> str:
    """43 characters: which poll, and 128 random bits."""
    return _text(poll_id.bytes + os.urandom(SECRET_BYTES))


def poll_of(token: str) -> uuid.UUID | None:
    """The poll that a token says it is for; None if it is none."""
    try:
        content = base64.b64decode(token + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    is_whole = len(content) == 16 + SECRET_BYTES and _text(content) == token
    return uuid.UUID(bytes=content[:16]) if is_whole else None


def hash_of_link(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(b"mvote/invitation/1\x00" + token.encode()).digest()


def key_of(keystore: Keystore, poll_id: uuid.UUID) -> bytes:
    """The key that seals the numbers of a poll's invitations, made now if there is none yet."""
    name = key_name(poll_id, LETTER)
    with suppress(FileExistsError):
        keystore.put(name, os.urandom(KEY_BYTES))
    return keystore.get(name)


def seal(key: bytes, entry: bytes, number: str, token: str) -> bytes:
    """Number and token, encrypted, and bound to the entry: moved to another they do not open."""
    nonce = os.urandom(NONCE_BYTES)
    content = f"{number} {token}".encode()
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, content, entry)


def unseal(key: bytes, entry: bytes, sealed: bytes) -> tuple[str, str]:
    """Number and token. Raises KeyUnreadable."""
    try:
        content = ChaCha20Poly1305(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], entry)
    except InvalidTag:
        raise KeyUnreadable("invitation") from None
    number, _, token = content.decode().partition(" ")
    return number, token


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
