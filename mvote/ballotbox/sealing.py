"""Sealing a ballot, and unsealing it: tags, commitment, HPKE, and the outer layer.

A seal opens with the poll's private key only; the outer layer, with the link key, hides until the
final shuffle which sealed ballot belongs to which envelope.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from mvote.ballotbox.keystore import SUITE
from mvote.ballotbox.notation import h, m
from mvote.ballotbox.poll_keys import PollKeys

TAG_BYTES = 16
TRACKER_BYTES = 16
SALT_BYTES = 32
HASH_BYTES = 32
NONCE_BYTES = 12
SEALED_FORMAT = b"\x01"


class Unreadable(ValueError):
    """Bytes that the key does not open, or that hold something else than they must."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Tags:
    """What the slot compares: who (voter_tag), which request (key_tag), which ballot."""

    voter_tag: bytes
    key_tag: bytes
    ballot_tag: bytes


@dataclass(frozen=True, kw_only=True, repr=False)
class OpenedBallot:
    """A ballot as the counter sees it."""

    tracker: bytes
    salt: bytes
    vector: bytes


def tracker_of(poll: bytes, citizen_id: uuid.UUID, key: str) -> bytes:
    """The ballot's public handle, 16 bytes, which the client can compute itself."""
    return h("mvote/tracker/1", poll, citizen_id.bytes, key.encode("ascii"))[:TRACKER_BYTES]


def voter_tag_of(roll_key: bytes, poll: bytes, anchor: bytes) -> bytes:
    """The mark *that* the bearer of *anchor* has voted in *poll*; tells nothing without V."""
    return m(roll_key, "mvote/voter/1", poll, anchor)[:TAG_BYTES]


def tags_of(
    keys: PollKeys, poll: bytes, anchor: bytes, tracker: bytes, key: str, vector: bytes
) -> Tags:
    """The three tags of one cast. The request key R must still live."""
    assert keys.R is not None  # noqa: S101  # for the type checker; the caller has looked
    voter = voter_tag_of(keys.V, poll, anchor)
    request = key.encode("ascii")
    return Tags(
        voter_tag=voter,
        key_tag=m(keys.R, "mvote/retry/1", voter, request)[:TAG_BYTES],
        ballot_tag=m(keys.R, "mvote/ballot/1", voter, tracker, request, vector)[:TAG_BYTES],
    )


def salt_of(request_key: bytes, voter_tag: bytes, key: str, vector: bytes) -> bytes:
    """The salt of the commitment: the same for the same request, unguessable without R."""
    return m(request_key, "mvote/salt/1", voter_tag, key.encode("ascii"), vector)


def commitment(poll: bytes, tracker: bytes, salt: bytes, vector: bytes) -> bytes:
    """C: binds the voter's choice without showing it. 32 bytes."""
    return h("mvote/commitment/1", poll, tracker, salt, vector)


def seal(public_key: bytes, tracker: bytes, salt: bytes, vector: bytes) -> bytes:
    """The sealed ballot: HPKE base mode, single shot, no info, no associated data."""
    return SUITE.encrypt(SEALED_FORMAT + tracker + salt + vector, _public(public_key))


@lru_cache(maxsize=1024)
def _public(key: bytes) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(key)


def unseal(private_key: X25519PrivateKey, sealed: bytes) -> OpenedBallot:
    """What was sealed. Raises Unreadable."""
    try:
        plain = SUITE.decrypt(sealed, private_key)
    except (InvalidTag, ValueError):
        raise Unreadable("seal") from None
    if plain[:1] != SEALED_FORMAT or len(plain) <= 1 + TRACKER_BYTES + SALT_BYTES:
        raise Unreadable("format")
    salt_at, vector_at = 1 + TRACKER_BYTES, 1 + TRACKER_BYTES + SALT_BYTES
    return OpenedBallot(
        tracker=plain[1:salt_at], salt=plain[salt_at:vector_at], vector=plain[vector_at:]
    )


def wrap_outer(
    link_key: bytes, poll: bytes, envelope_id: uuid.UUID, tracker: bytes, c: bytes, sealed: bytes
) -> bytes:
    """The outer layer: nonce ‖ AEAD(L, tracker ‖ C ‖ sealed), bound to its poll and envelope."""
    nonce = os.urandom(NONCE_BYTES)
    aead = ChaCha20Poly1305(link_key)
    return nonce + aead.encrypt(nonce, tracker + c + sealed, poll + envelope_id.bytes)


def unwrap_outer(
    link_key: bytes, poll: bytes, envelope_id: uuid.UUID, outer: bytes
) -> tuple[bytes, bytes, bytes]:
    """tracker, C and sealed of an envelope. Raises Unreadable."""
    nonce, ciphertext = outer[:NONCE_BYTES], outer[NONCE_BYTES:]
    try:
        plain = ChaCha20Poly1305(link_key).decrypt(nonce, ciphertext, poll + envelope_id.bytes)
    except (InvalidTag, ValueError):
        raise Unreadable("outer layer") from None
    sealed_at = TRACKER_BYTES + HASH_BYTES
    if len(plain) <= sealed_at:
        raise Unreadable("format")
    return plain[:TRACKER_BYTES], plain[TRACKER_BYTES:sealed_at], plain[sealed_at:]
