"""The shapes of what an app says of how it came by a position, and of the nonce for it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Regexp

from api.fields import Boolean, Instant, PositionSchema, Strict, String
from mvote.polls.integrity.attesting import LONGEST_TOKEN, PLATFORMS, Attestation
from mvote.polls.integrity.checking import NOTHING_SAID, Integrity
from mvote.polls.integrity.nonces import NONCE
from mvote.polls.presence import Position
from mvote.wording import say

LONGEST_KEY_ID = 128


class AttestationSchema(Strict):
    platform = String(required=True, validate=OneOf(PLATFORMS))
    key_id = String(
        required=True,
        validate=Length(1, LONGEST_KEY_ID),
        metadata={"description": "The phone's key: 32 bytes in base64url without padding."},
    )
    token = String(
        required=True,
        validate=Length(1, LONGEST_TOKEN),
        metadata={
            "description": "App Attest: the assertion in base64url; Play Integrity: the token."
        },
    )


class IntegritySchema(Strict):
    """Of the position beside it. What is wrong here is refused, even where nothing is asked."""

    nonce = String(
        validate=Regexp(rf"^{NONCE}\Z", error=say("Not a nonce of `POST /positions/nonces`.")),
        metadata={"description": "From `POST /positions/nonces`; good for 60 s, and once."},
    )
    mock = Boolean(
        load_default=False,
        metadata={"description": "What the phone says of it: Android's `Location.isMock`."},
    )
    attestation = ma.fields.Nested(AttestationSchema)

    @ma.validates_schema
    def complete(self, data: dict[str, Any], **_: Any) -> None:
        if "attestation" in data and "nonce" not in data:
            raise ma.ValidationError(say("An attestation needs a nonce."), "nonce")


class PositionNonceSchema(ma.Schema):
    nonce = ma.fields.String(required=True)
    expires_at = Instant(required=True)


class PlacedFields(Strict):
    """A position, and what is said of it."""

    position = ma.fields.Nested(PositionSchema)
    integrity = ma.fields.Nested(IntegritySchema)


def position_in(body: dict[str, Any]) -> Position | None:
    """The position in a body, if there is one."""
    position = body.get("position")
    return Position(**position) if position else None


def integrity_in(body: dict[str, Any]) -> Integrity:
    """What a body says of its position."""
    said = body.get("integrity")
    if said is None:
        return NOTHING_SAID
    attestation = said.get("attestation")
    return Integrity(
        nonce=said.get("nonce"),
        is_mock=said["mock"],
        attestation=Attestation(**attestation) if attestation else None,
    )
