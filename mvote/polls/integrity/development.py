"""A platform that vouches for whoever has its key: for development and tests, never for a city."""

from __future__ import annotations

import datetime as dt
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from mvote.polls.integrity.app_attestor import decoded
from mvote.polls.integrity.attesting import (
    Attestation,
    Platform,
    Vouched,
    digest_of_key,
    key_bytes,
)
from mvote.polls.integrity.errors import AttestationInvalid

DEVELOPMENT_KEY = "development-attestation"


class DevelopmentAttestor:
    """Signs statements and believes its signatures. Raises ValueError in production."""

    platform: Platform = "development"

    def __init__(self, secret: bytes, *, environment: str) -> None:
        if environment == "production":
            raise ValueError("in production nobody vouches by a key of development")
        self._key = Ed25519PrivateKey.from_private_bytes(secret)

    def sign(self, statement: bytes) -> bytes:
        """What an app sends as its token, in base64url."""
        return self._key.sign(statement)

    def check(
        self,
        session: Session,
        *,
        statement: bytes,
        attestation: Attestation,
        citizen_id: uuid.UUID,
        now: dt.datetime,
    ) -> Vouched:
        key = key_bytes(attestation.key_id)
        if not statement.endswith(b"\n" + attestation.key_id.encode()):
            raise AttestationInvalid("key-id")
        try:
            self._key.public_key().verify(decoded(attestation.token), statement)
        except InvalidSignature:
            raise AttestationInvalid("signature") from None
        return Vouched(platform=self.platform, device_key=digest_of_key(self.platform, key))
