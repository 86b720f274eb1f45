"""The drill: before a key serves a poll, every group of trustees that may open it does so once.

The server seals a random secret to the key; offline, each group of t shares is put together, must
give the key and open the secret, and leaves a proof. The proofs convince those who watched the
program run: whoever knows the secret could compute them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from mvote.ballotbox.ceremony_record import CeremonyRecord, NoRecord, record_of
from mvote.ballotbox.keystore import SUITE
from mvote.ballotbox.notation import encoded, h
from mvote.ballotbox.shares import TypedShare, private_key_of
from mvote.wording import counted

CHALLENGE_FORMAT = "mvote-drill-challenge/1"
ANSWER_FORMAT = "mvote-drill-answer/1"
LABEL = "mvote/drill/1"
ID_BYTES = 16


class DrillFailed(ValueError):
    """The challenge or the answer is not what it must be; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """A secret sealed to the key of a ceremony, with the record of that ceremony."""

    id: bytes
    record: CeremonyRecord
    sealed: bytes

    @property
    def content(self) -> bytes:
        """As the file has it: canonical JSON."""
        return rfc8785.dumps(
            {
                "format": CHALLENGE_FORMAT,
                "challenge": self.id.hex(),
                "sealed": self.sealed.hex(),
                "ceremony": self.record.document,
            }
        )


def challenge_of(record: CeremonyRecord, *, challenge_id: bytes, secret: bytes) -> Challenge:
    """*secret* sealed to the ceremony's key, and bound to it and to the challenge's id."""
    public = X25519PublicKey.from_public_bytes(record.public_key)
    sealed = SUITE.encrypt(secret, public, info=_binding(record, challenge_id))
    return Challenge(id=challenge_id, record=record, sealed=sealed)


def read_challenge(content: bytes) -> Challenge:
    """The challenge in a file. Raises DrillFailed."""
    document = _document(content, CHALLENGE_FORMAT)
    try:
        return Challenge(
            id=bytes.fromhex(document["challenge"]),
            record=record_of(document["ceremony"]),
            sealed=bytes.fromhex(document["sealed"]),
        )
    except (KeyError, TypeError, NoRecord, ValueError) as error:
        raise DrillFailed(f"the challenge is damaged: {error}") from None


def answer_of(challenge: Challenge, shares: Sequence[TypedShare]) -> bytes:
    """The answer, canonical JSON: a proof of every group of shares that may open the key.

    *shares* are all shares of the ceremony. Raises ShareProblem, or DrillFailed if the challenge
    does not open.
    """
    record = challenge.record
    by_number = {share.place.number: share for share in shares}
    proofs: list[Any] = []
    for group in groups_of(record):
        private = private_key_of(record, [by_number[number] for number in group])
        proof = _proof(_opened(challenge, private), challenge.id, record, group)
        proofs.append({"shares": list(group), "proof": proof.hex()})
    return rfc8785.dumps(
        {
            "format": ANSWER_FORMAT,
            "challenge": challenge.id.hex(),
            "public_key": record.public_key.hex(),
            "proofs": proofs,
        }
    )


def answered_challenge(content: bytes) -> bytes:
    """The id of the challenge that an answer is to. Raises DrillFailed."""
    try:
        found = bytes.fromhex(_document(content, ANSWER_FORMAT)["challenge"])
    except (KeyError, TypeError, ValueError):
        raise DrillFailed("the answer names no challenge") from None
    if len(found) != ID_BYTES:
        raise DrillFailed("the answer names no challenge")
    return found


def check_answer(
    content: bytes, *, record: CeremonyRecord, challenge_id: bytes, secret: bytes
) -> None:
    """Raise DrillFailed unless the answer proves each group of shares, and nothing else."""
    document = _document(content, ANSWER_FORMAT)
    if document.get("public_key") != record.public_key.hex():
        raise DrillFailed("the answer is about another key than the record")
    expected: list[dict[str, Any]] = [
        {"shares": list(group), "proof": _proof(secret, challenge_id, record, group).hex()}
        for group in groups_of(record)
    ]
    if document.get("proofs") != expected:
        groups = counted(len(expected), "group")
        raise DrillFailed(f"the answer must prove {groups} of trustees, and does not")


def groups_of(record: CeremonyRecord) -> Iterator[tuple[int, ...]]:
    """Every group of just as many trustees as are needed, by the numbers of their shares."""
    return combinations(range(1, len(record.places) + 1), record.threshold)


def _opened(challenge: Challenge, private: X25519PrivateKey) -> bytes:
    info = _binding(challenge.record, challenge.id)
    try:
        return SUITE.decrypt(challenge.sealed, private, info=info)
    except (InvalidTag, ValueError):
        raise DrillFailed("the challenge does not open with the key of its record") from None


def _proof(
    secret: bytes, challenge_id: bytes, record: CeremonyRecord, group: Sequence[int]
) -> bytes:
    return h(LABEL, secret, challenge_id, record.public_key, bytes(group))


def _binding(record: CeremonyRecord, challenge_id: bytes) -> bytes:
    return encoded(LABEL, record.public_key, challenge_id)


def _document(content: bytes, expected: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise DrillFailed("the file is not JSON") from None
    if not isinstance(document, dict) or document.get("format") != expected:
        raise DrillFailed(f"the file is no {expected}")
    return document
